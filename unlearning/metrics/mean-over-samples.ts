import type { Measured } from '../../experiment/records/measured.ts'
import { probabilities, rows, unusable, type Logits } from './logits.ts'

/**
 * The mean over samples of a distance between two models' class probabilities p and q for the same
 * sample. `distance` also gets p − q. Both models must have the same samples in the same order.
 * Throws a RangeError otherwise.
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
 * p − q for each class. If both models are confident of the same class, their probabilities are
 * near 1 and the difference is mostly rounding. The differences of all classes add up to 0, so the
 * difference of this class is the negative sum of the others.
 */
function differences(p: Float64Array, q: Float64Array): Float64Array {
  const result = p.map((value, i) => value - (q[i] ?? 0))
  const sure = p.findIndex((value, i) => value > 0.5 && (q[i] ?? 0) > 0.5)
  if (sure < 0) return result
  result[sure] = 0
  result[sure] = 0 - result.reduce((sum, value) => sum + value, 0)
  return result
}
