import type { AdaptableLayer, Layer } from '../../../experiment/models/layers.ts'
import {
  initialWeights,
  packArrays,
  parameterSpecs,
  unpackArrays,
  type Weights,
} from '../../../learning/model/parameters.ts'
import { permutation, type RandomStream } from '../../../learning/random.ts'

/**
 * The weights of a model in which a share of the filters of some layers has new directions: those
 * of the model's initialisation, with the norm of the filter that they replace. A filter of a
 * layer is the part of its weights that makes one output, which a linear layer calls a unit. The
 * number of new filters is rounded, and is at least 1 for a share above 0.
 */
export function renewed(
  layers: readonly Layer[],
  weights: Weights,
  some: readonly AdaptableLayer[],
  share: number,
  random: RandomStream,
): Weights {
  if (some.length === 0) return weights
  const specs = parameterSpecs(layers)
  const values = unpackArrays(specs.trained, weights.trained.slice())
  const fresh = unpackArrays(specs.trained, initialWeights(specs, random).trained)
  for (const { name, out } of some) {
    const own = values[`${name}.weight`]?.values ?? new Float32Array()
    const other = fresh[`${name}.weight`]?.values ?? new Float32Array()
    const rows = own.length / out
    const norm = (of: Float32Array, filter: number) =>
      Math.sqrt(
        Array.from({ length: rows }, (_, row) => (of[row * out + filter] ?? NaN) ** 2).reduce(
          (a, b) => a + b,
        ),
      )
    const count = share > 0 ? Math.max(1, Math.round(share * out)) : 0
    for (const filter of permutation(out, random).subarray(0, count)) {
      const scale = norm(own, filter) / norm(other, filter)
      for (let row = 0; row < rows; row++)
        own[row * out + filter] = scale * (other[row * out + filter] ?? NaN)
    }
  }
  return { ...weights, trained: packArrays(specs.trained, values) }
}
