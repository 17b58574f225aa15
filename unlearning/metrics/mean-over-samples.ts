import type { Measured } from '../../experiment/manifest.ts'
import { probabilities, rows, unusable, type Logits } from './logits.ts'

/**
 * The mean over samples of a distance between two models' class probabilities p and q for the same sample.
 * Both must hold the same samples in the same order.
 */
export function meanOverSamples(
  unlearned: Logits,
  gold: Logits,
  distance: (p: Float64Array, q: Float64Array) => number,
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
  for (const [i, p] of rows(probabilities(unlearned), unlearned.classes).entries())
    sum += distance(p, golds[i] ?? p)
  return { value: sum / samples }
}
