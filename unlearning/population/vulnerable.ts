import { gaussians, NO_VARIANCE } from './lira.ts'
import { tooFewModels, unusable, type Pool, type Scores } from './pool.ts'

/**
 * How vulnerable each sample is to membership inference, [samples]:
 *
 *     (μ_in − μ_out) / √((σ_in² + σ_out²) / 2)
 *
 * of its φ under shadow models that trained on it (in) and that did not (out): the distance of the
 * two distributions that LiRA compares, in standard deviations. Variances are those of LiRA.
 * Missing if there are too few models.
 */
export function vulnerability(shadow: Pool): Scores {
  const missing = unusable(shadow) ?? tooFewModels(shadow, { inside: 1, outside: 1 })
  if (missing !== undefined) return { missing: `shadow models: ${missing}` }
  const inside = gaussians(shadow, 'inside', undefined)
  const outside = gaussians(shadow, 'outside', undefined)
  if (inside === undefined || outside === undefined) return { missing: NO_VARIANCE }
  return {
    scores: Float64Array.from(inside, (own, i) => {
      const other = outside[i]
      if (!other) return NaN
      return (own.mean - other.mean) / Math.sqrt((own.deviation ** 2 + other.deviation ** 2) / 2)
    }),
  }
}

/**
 * The positions of the `share` of the scores that are greatest, ascending: at least one unless
 * there are no scores. The first of equal scores come first.
 */
export function mostVulnerable(scores: Float64Array, share: number): Int32Array {
  const order = Int32Array.from(scores, (_, i) => i).sort(
    (a, b) => (scores[b] ?? NaN) - (scores[a] ?? NaN) || a - b,
  )
  return order.subarray(0, Math.max(1, Math.round(share * scores.length))).sort()
}

/**
 * Divides shadow models into two halves without a common model. Both consist of whole pairs, so
 * that in each every sample has as many in models as out models. With an odd number of pairs the
 * attacking half is larger.
 */
export function halves(pool: Pool): { readonly selecting: Pool; readonly attacking: Pool } {
  const first = 2 * Math.floor(pool.models / 4)
  const middle = first * pool.samples
  return {
    selecting: {
      ...pool,
      models: first,
      values: pool.values.subarray(0, middle),
      members: pool.members.subarray(0, middle),
    },
    attacking: {
      ...pool,
      models: pool.models - first,
      values: pool.values.subarray(middle),
      members: pool.members.subarray(middle),
    },
  }
}
