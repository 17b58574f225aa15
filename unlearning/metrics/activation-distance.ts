import type { Measured } from '../../experiment/manifest.ts'
import type { Logits } from './logits.ts'
import { meanOverSamples } from './mean-over-samples.ts'

/** Mean over x of ‖softmax θ_u(x) − softmax θ_g(x)‖₂, in [0, √2]: 0 is gold. */
export function activationDistance(unlearned: Logits, gold: Logits): Measured {
  return meanOverSamples(unlearned, gold, (p, q) => {
    const squares = p.map((value, i) => (value - (q[i] ?? 0)) ** 2)
    return Math.sqrt(squares.reduce((sum, square) => sum + square, 0))
  })
}
