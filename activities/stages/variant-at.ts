import type { ManifestOf } from '../../experiment/records/manifest.ts'
import type { ApproximateMethodSpec } from '../../experiment/spec/methods.ts'

/** The options of the variant at a place of the ranking, counted from 0. */
export function variantAt({ metrics }: ManifestOf<'tune'>, place: number): ApproximateMethodSpec {
  const variant = metrics.ranking[place]
  if (!variant)
    throw new RangeError(`the ranking has ${metrics.ranking.length} variants, and none at ${place}`)
  return variant.method
}
