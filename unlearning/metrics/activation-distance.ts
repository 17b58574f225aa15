import type { Measured } from '../../experiment/records/measured.ts'
import type { Logits } from './logits.ts'
import { meanOverSamples } from './mean-over-samples.ts'

/** The mean over x of ‖softmax θ_u(x) − softmax θ_g(x)‖₂, from 0 (equal to gold) to √2. */
export function activationDistance(unlearned: Logits, gold: Logits): Measured {
  return meanOverSamples(unlearned, gold, (_p, _q, difference) => Math.hypot(...difference))
}
