import type { AttackCurve, AttackOutcome } from '../../experiment/records/outcomes.ts'
import { scoreNames, type ScoreName } from '../../experiment/records/scores.ts'
import { scores } from '../attacks/scores.ts'
import type { Logits } from '../metrics/logits.ts'
import { liraKernel } from '../population/kernel-density.ts'
import { lira, liraOffline } from '../population/lira.ts'
import type { Scores } from '../population/pool.ts'
import { rmia } from '../population/rmia.ts'
import { mostVulnerableOf, type MembersFirst } from '../population/ruli.ts'
import type { MembersAndOthers } from '../population/shadow-attacks.ts'
import { halves, vulnerability } from '../population/vulnerable.ts'
import { rocCurve } from './roc-curve.ts'

/** 1 if members have high scores, −1 if they have low ones. */
const signs: Readonly<Record<ScoreName, 1 | -1>> = {
  correctness: 1,
  confidence: 1,
  entropy: -1,
  'modified-entropy': -1,
  loss: -1,
}

/** The curves of the scores that need the attacked model alone. */
export function scoreCurves(members: Logits, nonMembers: readonly Logits[]): readonly AttackOutcome[] {
  return scoreNames.map((attack) => {
    const of = (logits: Logits) => scores[attack](logits, undefined).map((score) => signs[attack] * score)
    return { attack, ...rocCurve(of(members), Float64Array.from(nonMembers.flatMap((set) => [...of(set)]))) }
  })
}

/** The curves of the attacks of `shadowAttacks` (unlearning/population/shadow-attacks.ts). */
export function shadowCurves({ both, others }: MembersAndOthers): readonly AttackOutcome[] {
  const { target, shadow } = both
  const members = target.length - others.target.length
  return [
    { attack: 'lira', ...curveOf(() => lira(target, shadow), members) },
    { attack: 'liraOffline', ...curveOf(() => liraOffline(target, shadow), members) },
    {
      attack: 'rmia',
      ...curveOf(
        () => (others.target.length === 0 ? { missing: 'there are no non-members' } : rmia(both, others)),
        members,
      ),
    },
  ]
}

/** The curves of `ruli` on the most vulnerable samples (unlearning/population/ruli.ts). */
export function vulnerableCurves(all: MembersFirst, share: number): readonly AttackOutcome[] {
  const { selecting, attacking } = halves(all.shadow)
  const found = all.target.length === 0 ? { scores: new Float64Array() } : vulnerability(selecting)
  if ('missing' in found)
    return (['ruliGaussian', 'ruliKernel'] as const).map((attack) => ({ attack, ...found }))
  const { target, shadow, members } = mostVulnerableOf({ ...all, shadow: attacking }, found.scores, share)
  return [
    { attack: 'ruliGaussian', ...curveOf(() => lira(target, shadow), members) },
    { attack: 'ruliKernel', ...curveOf(() => liraKernel(target, shadow), members) },
  ]
}

/** The curve of an attack whose first `members` scores are those of members. */
function curveOf(attack: () => Scores, members: number): AttackCurve | { readonly missing: string } {
  if (members === 0) return { missing: 'there are no members' }
  const answer = attack()
  if ('missing' in answer) return answer
  return rocCurve(answer.scores.subarray(0, members), answer.scores.subarray(members))
}
