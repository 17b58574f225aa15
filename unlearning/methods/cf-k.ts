import type { Method } from '../method.ts'
import { lastLayers } from './shared/last-layers.ts'
import { trainOn } from './shared/train-epochs.ts'

/**
 * Catastrophic forgetting in the last k layers (CF-k, Goel et al. 2022, arXiv 2201.06640). The
 * layers before them are frozen, and the others are fine-tuned on D_r:
 *
 *     min_{θ_k}  E_{D_r} CE(θ_o,<k, θ_k)
 *
 * Running statistics of batch norms follow D_r in all layers, as in the training. Epochs and
 * optimizer have no published default.
 */
export const unlearn: Method<'cf-k'> = (method, context) =>
  trainOn(method, context, { indices: context.retained, mask: lastLayers(context.layers, method.k) })
