import { trueLogProbabilities, unusable, type Logits } from './logits.ts'

const BINS = 20

/**
 * The number of samples by p_y, the probability of the true class, in 20 equal bins from 0 to 1.
 * The last bin includes p_y = 1. Empty if there are no samples or the logits are not finite.
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
