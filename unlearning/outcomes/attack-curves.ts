import { shadowAttacks } from '../../experiment/records/measured.ts'
import type { AttackCurve, AttackOutcome } from '../../experiment/records/outcomes.ts'
import { scoreNames } from '../../experiment/records/scores.ts'
import type { Logits } from '../metrics/logits.ts'
import type { Scores } from '../population/pool.ts'
import { auc } from '../population/roc.ts'
import type { MembersFirst } from '../population/ruli.ts'
import type { MembersAndOthers } from '../population/shadow-attacks.ts'
import { memberScores, shadowScores, vulnerableSamples, vulnerableScores } from './attack-scores.ts'
import { rocCurve } from './roc-curve.ts'

/** The curves of the scores that need the attacked model alone. */
export function scoreCurves(members: Logits, nonMembers: readonly Logits[]): readonly AttackOutcome[] {
  return scoreNames.map((attack) => ({
    attack,
    ...rocCurve(
      memberScores(attack, members),
      Float64Array.from(nonMembers.flatMap((set) => [...memberScores(attack, set)])),
    ),
  }))
}

/**
 * The curve of a score whose sign for members is not known. It is taken such that retained samples
 * have the higher scores: their area over those of the test samples is at least one half.
 */
export function unsignedCurve(
  score: (logits: Logits) => Float64Array,
  { retained, test, members, nonMembers }: UnsignedCurveInput,
): AttackCurve | { readonly missing: string } {
  const of = (sets: readonly Logits[]) => Float64Array.from(sets.flatMap((set) => [...score(set)]))
  const known = auc(of([retained]), of(test))
  if ('missing' in known) return known
  const sign = known.value >= 0.5 ? 1 : -1
  const signed = (sets: readonly Logits[]) => of(sets).map((value) => sign * value)
  return rocCurve(signed([members]), signed(nonMembers))
}

export interface UnsignedCurveInput {
  readonly retained: Logits
  readonly test: readonly Logits[]
  /** D_f, which the model might have read. */
  readonly members: Logits
  /** Samples that the model never saw. */
  readonly nonMembers: readonly Logits[]
}

/** The curves of the attacks of `shadowAttacks` (unlearning/population/shadow-attacks.ts). */
export function shadowCurves(attacked: MembersAndOthers): readonly AttackOutcome[] {
  const members = attacked.both.target.length - attacked.others.target.length
  return shadowAttacks.map((attack) => ({
    attack,
    ...curveOf(() => shadowScores(attack, attacked), members),
  }))
}

/** The curves of `ruli` on the most vulnerable samples (unlearning/population/ruli.ts). */
export function vulnerableCurves(all: MembersFirst, share: number): readonly AttackOutcome[] {
  const found = vulnerableSamples(all, share)
  return (['ruliGaussian', 'ruliKernel'] as const).map((attack) => ({
    attack,
    ...('missing' in found ? found : curveOf(() => vulnerableScores(attack, found), found.members)),
  }))
}

/** The curve of an attack whose first `members` scores are those of members. */
function curveOf(attack: () => Scores, members: number): AttackCurve | { readonly missing: string } {
  if (members === 0) return { missing: 'there are no members' }
  const answer = attack()
  if ('missing' in answer) return answer
  return rocCurve(answer.scores.subarray(0, members), answer.scores.subarray(members))
}
