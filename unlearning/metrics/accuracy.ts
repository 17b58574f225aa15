import type { Measured } from '../../experiment/records/measured.ts'
import { correctness, unusable, type Logits } from './logits.ts'

/** The percentage of samples whose greatest logit is that of the true class. */
export function accuracy(logits: Logits): Measured {
  const missing = unusable(logits)
  if (missing !== undefined) return { missing }
  const correct = correctness(logits)
  return { value: (100 * correct.reduce((sum, one) => sum + one, 0)) / correct.length }
}
