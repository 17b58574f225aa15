import type { Measured } from '../../experiment/records/manifest.ts'
import { probabilities, rows, unusable, type Logits } from './logits.ts'

/**
 * The mean over samples of a distance between two models' class probabilities p and q for the same
 * sample, and p − q. Both must hold the same samples in the same order.
 */
export function meanOverSamples(
  unlearned: Logits,
  gold: Logits,
  distance: (p: Float64Array, q: Float64Array, difference: Float64Array) => number,
): Measured {
  const samples = unlearned.labels.length
  if (samples !== gold.labels.length || unlearned.labels.some((y, i) => y !== gold.labels[i]))
    throw new RangeError('two models are compared on different samples: their labels differ')
  const missing = unusable(unlearned)
  if (missing !== undefined) return { missing }
  const goldMissing = unusable(gold)
  if (goldMissing !== undefined) return { missing: `gold: ${goldMissing}` }

  const golds = rows(probabilities(gold), gold.classes)
  let sum = 0
  for (const [i, p] of rows(probabilities(unlearned), unlearned.classes).entries()) {
    const q = golds[i] ?? p
    sum += distance(p, q, differences(p, q))
  }
  return { value: sum / samples }
}

/**
 * p − q, class by class. Two models that are sure of the same class have probabilities near 1,
 * whose difference is rounding. The differences of all classes add up to 0, so that of this class
 * is the others' sum with the opposite sign.
 */
function differences(p: Float64Array, q: Float64Array): Float64Array {
  const result = p.map((value, i) => value - (q[i] ?? 0))
  const sure = p.findIndex((value, i) => value > 0.5 && (q[i] ?? 0) > 0.5)
  if (sure < 0) return result
  result[sure] = 0
  result[sure] = 0 - result.reduce((sum, value) => sum + value, 0)
  return result
}
