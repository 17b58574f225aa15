import type { Estimate, ShadowAttacked, ShadowFigure } from '../../experiment/records/manifest.ts'
import { lira, liraOffline } from './lira.ts'
import type { Scores } from './pool.ts'
import { rmia, type Attacked } from './rmia.ts'
import { auc, tprAtFpr } from './roc.ts'

/** An attacked model and its shadow models on a set's samples, followed by those on samples that the model never saw. */
export interface MembersAndOthers {
  readonly both: Attacked
  /** The latter alone. */
  readonly others: Attacked
}

/**
 * How well LiRA and RMIA tell a model's members from other samples. The others are also RMIA's population z, which favours
 * neither kind: with the same z for all, its score is one increasing function of each sample's own ratio. LiRA is given
 * both kinds at once: a pooled variance would otherwise be another one for members than for non-members.
 */
export async function shadowAttacks(
  { both, others }: MembersAndOthers,
  yieldControl: () => Promise<void> = () => Promise.resolve(),
): Promise<ShadowAttacked> {
  const { target, shadow } = both
  const nonMembers = others.target.length
  const members = target.length - nonMembers
  const run = async (attack: () => Scores): Promise<Readonly<Record<ShadowFigure, Estimate>>> => {
    await yieldControl()
    const answer = members === 0 ? { missing: 'there are no members' } : attack()
    if ('missing' in answer) return { auc: answer, tprAt1: answer, tprAt01: answer }
    const [inside, outside] = [answer.scores.subarray(0, members), answer.scores.subarray(members)]
    return {
      auc: auc(inside, outside),
      tprAt1: tprAtFpr(inside, outside, 0.01),
      tprAt01: tprAtFpr(inside, outside, 0.001),
    }
  }
  return {
    members,
    nonMembers,
    attacks: {
      lira: await run(() => lira(target, shadow)),
      liraOffline: await run(() => liraOffline(target, shadow)),
      rmia: await run(() =>
        nonMembers === 0 ? { missing: 'there are no non-members' } : rmia(both, others),
      ),
    },
  }
}
