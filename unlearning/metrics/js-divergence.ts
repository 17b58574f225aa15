import type { Measured } from '../../experiment/records/measured.ts'
import type { Logits } from './logits.ts'
import { meanOverSamples } from './mean-over-samples.ts'

/**
 * The mean over x of JS(p, q) = ½ KL(p ‖ m) + ½ KL(q ‖ m) with m = (p + q)/2, in bits, from 0
 * (equal to gold) to 1 (Lin 1991, with equal weights). The code that Chundawat et al. (2023)
 * published has KL(m ‖ p) and KL(m ‖ q) in nats and the mean over samples and classes, so that its
 * values are not comparable.
 */
export function jsDivergence(unlearned: Logits, gold: Logits): Measured {
  return meanOverSamples(unlearned, gold, (p, q, difference) => {
    const nats = difference.reduce((sum, d, i) => sum + termOf(p[i] ?? 0, d) + termOf(q[i] ?? 0, -d), 0)
    return Math.min(1, Math.max(0, nats / 2 / Math.LN2)) // rounding may exceed the bounds
  })
}

/**
 * a log(a / m) in nats with m = (a + b)/2, for one class with probabilities a and b, from d = a −
 * b: m / a = 1 − d/2a. A class with probability 0 adds nothing.
 */
function termOf(a: number, d: number): number {
  return a > 0 ? -a * Math.log1p(-d / (2 * a)) : 0
}
