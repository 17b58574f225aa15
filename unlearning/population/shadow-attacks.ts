import type { Estimate, ShadowFigure } from '../../experiment/records/measured.ts'
import type { ShadowAttacked } from '../../experiment/stages/membership.ts'
import type { YieldControl } from '../yield-control.ts'
import { lira, liraOffline } from './lira.ts'
import type { Scores } from './pool.ts'
import { rmia, type Attacked } from './rmia.ts'
import { auc, tprAtFpr } from './roc.ts'

/**
 * An attacked model and its shadow models on samples of a set, followed by samples that the model
 * never saw.
 */
export interface MembersAndOthers {
  readonly both: Attacked
  /** The samples that the model never saw. */
  readonly others: Attacked
}

/**
 * Measures how well LiRA and RMIA distinguish a model's members from other samples. The others are
 * also RMIA's population z. This favours neither kind: with the same z for all samples, the score
 * is an increasing function of each sample's own ratio. LiRA gets both kinds at once, so that a
 * pooled variance is the same for members and non-members.
 */
export async function shadowAttacks(
  { both, others }: MembersAndOthers,
  yieldControl: YieldControl = () => Promise.resolve(),
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
