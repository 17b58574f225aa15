import type { Measured } from '../../experiment/records/manifest.ts'
import type { Logits } from './logits.ts'
import { meanOverSamples } from './mean-over-samples.ts'

/** Mean over x of JS(p, q) = ½ KL(p ‖ m) + ½ KL(q ‖ m), m = (p + q)/2, in bits, in [0, 1]: 0 is gold. */
export function jsDivergence(unlearned: Logits, gold: Logits): Measured {
  return meanOverSamples(unlearned, gold, (p, q, difference) => {
    const nats = difference.reduce((sum, d, i) => sum + termOf(p[i] ?? 0, d) + termOf(q[i] ?? 0, -d), 0)
    return Math.min(1, Math.max(0, nats / 2 / Math.LN2)) // rounding may step over the bounds
  })
}

/**
 * a log(a / m) in nats, m = (a + b)/2, of one class that the models give a and b, from d = a − b: m
 * / a = 1 − d/2a. A class without probability adds nothing.
 */
function termOf(a: number, d: number): number {
  return a > 0 ? -a * Math.log1p(-d / (2 * a)) : 0
}
