import type { Measured } from '../../experiment/records/measured.ts'
import { jsDivergence } from './js-divergence.ts'
import { unusable, type Logits } from './logits.ts'

/**
 * Zero retrain forgetting, 1 − mean over D_f of JS(softmax θ_u(x), softmax θ_t(x)) in bits, in [0,
 * 1], with θ_t a randomly initialised model (Chundawat et al. 2023, "Can bad teaching induce
 * forgetting?"). 1 means the outputs of a model that learnt nothing. The value must be compared
 * with gold's own; a value above gold's is not better.
 *
 * Some publications' code uses this name for a cosine between outputs, which is a different figure
 * and not comparable.
 */
export function zrf(unlearned: Logits, twin: Logits): Measured {
  const missing = unusable(unlearned)
  if (missing !== undefined) return { missing }
  const twinMissing = unusable(twin)
  if (twinMissing !== undefined) return { missing: `the untrained twin: ${twinMissing}` }
  const divergence = jsDivergence(unlearned, twin)
  return 'value' in divergence ? { value: 1 - divergence.value } : divergence
}
