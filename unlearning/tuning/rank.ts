import { MathError } from '../../common/errors.ts'
import { meanGap } from '../../experiment/records/mean-gap.ts'
import type { Measured } from '../../experiment/records/measured.ts'
import type { RankedVariant } from '../../experiment/stages/tune.ts'

/**
 * The ranking after one round of successive halving. `gaps` are those of the first variants of the
 * earlier ranking, in its order: the variants that were tried in this round. The others did not go
 * on and keep their order.
 *
 * First come the variants that were tried, by the mean of their gaps over all rounds, then those
 * that did not go on, and last those that failed in a round. Equal variants keep their order.
 * Throws a MathError if every variant failed.
 */
export function ranked(
  earlier: readonly RankedVariant[],
  gaps: readonly Measured[],
): readonly RankedVariant[] {
  const tried = earlier.slice(0, gaps.length).map((variant, i) => {
    const gap = gaps[i]
    return gap ? { ...variant, gaps: [...variant.gaps, gap] } : variant
  })
  const others = earlier.slice(gaps.length)
  const all = [...tried.toSorted(byGap), ...others]
  const sound = all.filter((variant) => !hasFailed(variant))
  if (sound.length === 0) throw new MathError(`all ${all.length} variants failed: ${reasonsOf(all)}`)
  return [...sound, ...all.filter(hasFailed)]
}

function byGap(a: RankedVariant, b: RankedVariant): number {
  return (meanGap(a.gaps) ?? 0) - (meanGap(b.gaps) ?? 0)
}

function hasFailed({ gaps }: RankedVariant): boolean {
  return meanGap(gaps) === undefined
}

/** The different reasons of failed variants. */
function reasonsOf(variants: readonly RankedVariant[]): string {
  const reasons = variants.flatMap(({ gaps }) => gaps.flatMap((gap) => ('missing' in gap ? gap.missing : [])))
  return [...new Set(reasons)].join('; ')
}
