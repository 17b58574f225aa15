import type { Measured } from '../../experiment/manifest.ts'
import type { Logits } from './logits.ts'
import { meanOverSamples } from './mean-over-samples.ts'

/** Mean over x of JS(p, q) = ½ KL(p ‖ m) + ½ KL(q ‖ m), m = (p + q)/2, in bits, in [0, 1]: 0 is gold. */
export function jsDivergence(unlearned: Logits, gold: Logits): Measured {
  return meanOverSamples(unlearned, gold, (p, q) => {
    const bits = (divergenceToMean(p, q) + divergenceToMean(q, p)) / 2
    return Math.min(1, Math.max(0, bits)) // rounding may step over the bounds
  })
}

/** KL(p ‖ (p + q)/2) in bits; a class that p gives no probability adds nothing. */
function divergenceToMean(p: Float64Array, q: Float64Array): number {
  return p.reduce((sum, a, i) => sum + (a > 0 ? a * Math.log2((2 * a) / (a + (q[i] ?? 0))) : 0), 0)
}
