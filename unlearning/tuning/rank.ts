import { MathError } from '../../common/errors.ts'
import type { Measured } from '../../experiment/records/measured.ts'
import type { RankedVariant } from '../../experiment/stages/tune.ts'

/**
 * The ranking after one round of successive halving. `gaps` are those of the first variants of the
 * earlier ranking, in its order: the variants that were tried in this round. The others did not go
 * on and keep their order.
 *
 * First come the variants that were tried, by the mean of their gaps over all rounds, then those
 * that did not go on, and last those that failed in a round. Equal variants keep their order. Throws
 * a MathError if every variant failed.
 */
export function ranked(
  earlier: readonly RankedVariant[],
  gaps: readonly Measured[],
): readonly RankedVariant[] {
  const known = earlier.map((variant, i) => {
    const gap = gaps[i]
    return gap ? { ...variant, gaps: [...variant.gaps, gap] } : variant
  })
  const order = known
    .map((variant, i) => ({ variant, tier: tierOf(variant, i < gaps.length), mean: meanGap(variant), i }))
    .sort((a, b) => a.tier - b.tier || (a.tier === 0 ? a.mean - b.mean : 0) || a.i - b.i)
    .map(({ variant }) => variant)
  const [best] = order
  if (!best || !Number.isFinite(meanGap(best)))
    throw new MathError(`all ${order.length} variants failed; the first one: ${reasonOf(order)}`)
  return order
}

/** The mean of the gaps in points. Not finite if the variant failed in a round. */
export function meanGap({ gaps }: Pick<RankedVariant, 'gaps'>): number {
  return gaps.reduce((sum, gap) => sum + ('value' in gap ? gap.value : Infinity), 0) / gaps.length
}

function tierOf(variant: RankedVariant, isTried: boolean): number {
  if (!Number.isFinite(meanGap(variant))) return 2
  return isTried ? 0 : 1
}

function reasonOf(variants: readonly RankedVariant[]): string {
  const first = variants.find(({ variant }) => variant === 0) ?? variants[0]
  return first?.gaps.flatMap((gap) => ('missing' in gap ? gap.missing : []))[0] ?? 'there are none'
}
