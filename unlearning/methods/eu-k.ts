import { initialWeights, parameterSpecs } from '../../learning/model/parameters.ts'
import { stream } from '../../learning/random.ts'
import type { Method } from '../method.ts'
import { lastLayers } from './shared/last-layers.ts'
import { trainOn } from './shared/train-epochs.ts'

/**
 * Exact unlearning of the last k layers (EU-k, Goel et al. 2022, arXiv 2201.06640). They start from
 * new weights and are trained on D_r, while the layers before them are frozen:
 *
 *     θ_k ~ the model's initialisation,    min_{θ_k}  E_{D_r} CE(θ_o,<k, θ_k)
 *
 * Only these layers are exact: the frozen ones were trained on D_f. Running statistics of batch
 * norms follow D_r in all layers. Epochs and optimizer have no published default; those of the
 * training come closest to retraining.
 */
export const unlearn: Method<'eu-k'> = (method, context) => {
  const { layers, original, retained, seed } = context
  const mask = lastLayers(layers, method.k)
  const fresh = initialWeights(parameterSpecs(layers), stream(seed, 'eu-k', 'initial'))
  const trained = original.trained.map((value, i) => (mask[i] === 1 ? (fresh.trained[i] ?? NaN) : value))
  return trainOn(method, context, { indices: retained, mask, initial: { ...original, trained } })
}
