import { trueLogProbabilities, unusable, type Logits } from './logits.ts'

const BINS = 20

/**
 * Samples by p_y, the probability of the true class, in 20 equal bins from 0 to 1; the last holds p_y = 1 too.
 * Empty where there is no histogram: no samples, or logits that are not finite.
 */
export function confidenceHistogram(logits: Logits): number[] {
  if (unusable(logits) !== undefined) return []
  const counts = Array.from({ length: BINS }, () => 0)
  for (const log of trueLogProbabilities(logits)) {
    const bin = Math.min(BINS - 1, Math.floor(BINS * Math.exp(log)))
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  return counts
}
