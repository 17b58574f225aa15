import type { Measured } from '../../experiment/records/manifest.ts'
import { jsDivergence } from './js-divergence.ts'
import { unusable, type Logits } from './logits.ts'

/**
 * Zero retrain forgetting, 1 − mean over D_f of JS(softmax θ_u(x), softmax θ_t(x)) in bits, in [0, 1], with θ_t a randomly
 * initialised twin (Chundawat et al. 2023, "Can bad teaching induce forgetting?"). 1 is a model that says what one says that
 * learnt nothing. Gold's own is what to compare with: more is no better, unless gold has more.
 *
 * Some published code gives this name to a cosine between outputs. That is another figure: the two cannot be compared.
 */
export function zrf(unlearned: Logits, twin: Logits): Measured {
  const missing = unusable(unlearned)
  if (missing !== undefined) return { missing }
  const twinMissing = unusable(twin)
  if (twinMissing !== undefined) return { missing: `the untrained twin: ${twinMissing}` }
  const divergence = jsDivergence(unlearned, twin)
  return 'value' in divergence ? { value: 1 - divergence.value } : divergence
}
