import type { ScoreName } from '../../experiment/records/scores.ts'
import { scores } from '../attacks/scores.ts'
import type { Logits } from '../metrics/logits.ts'
import { liraKernel } from '../population/kernel-density.ts'
import { lira, liraOffline } from '../population/lira.ts'
import type { Scores } from '../population/pool.ts'
import { rmia } from '../population/rmia.ts'
import { mostVulnerableOf, type MembersFirst } from '../population/ruli.ts'
import type { MembersAndOthers } from '../population/shadow-attacks.ts'
import type { ShadowAttack } from '../../experiment/records/measured.ts'
import { halves, mostVulnerable, vulnerability } from '../population/vulnerable.ts'

/** 1 if members have high scores, −1 if they have low ones. */
const signs: Readonly<Record<ScoreName, 1 | -1>> = {
  correctness: 1,
  confidence: 1,
  entropy: -1,
  'modified-entropy': -1,
  loss: -1,
}

/** A score that needs the attacked model alone, with its sign such that it is high for members. */
export function memberScores(attack: ScoreName, logits: Logits): Float64Array {
  return scores[attack](logits, undefined).map((score) => signs[attack] * score)
}

/**
 * The scores by LiRA or RMIA (unlearning/population/shadow-attacks.ts): those of the members come
 * first, and then those of the others.
 */
export function shadowScores(attack: ShadowAttack, { both, others }: MembersAndOthers): Scores {
  const { target, shadow } = both
  switch (attack) {
    case 'lira':
      return lira(target, shadow)
    case 'liraOffline':
      return liraOffline(target, shadow)
    case 'rmia':
      return others.target.length === 0 ? { missing: 'there are no non-members' } : rmia(both, others)
  }
}

/** The most vulnerable members, followed by the most vulnerable others, as an attack sees them. */
export interface VulnerableSamples extends MembersFirst {
  /** The position of each of them among all samples. */
  readonly positions: Int32Array
}

/** Selects the samples that `ruli` attacks, by one half of the shadow models. */
export function vulnerableSamples(
  all: MembersFirst,
  share: number,
): VulnerableSamples | { readonly missing: string } {
  const { selecting, attacking } = halves(all.shadow)
  const found = all.target.length === 0 ? { scores: new Float64Array() } : vulnerability(selecting)
  if ('missing' in found) return found
  const others = mostVulnerable(found.scores.subarray(all.members), share)
  return {
    ...mostVulnerableOf({ ...all, shadow: attacking }, found.scores, share),
    positions: Int32Array.from([
      ...mostVulnerable(found.scores.subarray(0, all.members), share),
      ...others.map((position) => all.members + position),
    ]),
  }
}

/** The scores of vulnerable samples by the other half of the shadow models. */
export function vulnerableScores(
  attack: 'ruliGaussian' | 'ruliKernel',
  { target, shadow }: VulnerableSamples,
): Scores {
  return (attack === 'ruliGaussian' ? lira : liraKernel)(target, shadow)
}
