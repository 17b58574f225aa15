import { headOf, type Layer } from '../../experiment/models/layers.ts'
import {
  initialise,
  packArrays,
  parameterSpecs,
  unpackArrays,
  type Weights,
} from '../../learning/model/parameters.ts'
import { stream, type RandomStream } from '../../learning/random.ts'
import { trainOn } from './shared/train-epochs.ts'
import type { Method } from '../method.ts'

/**
 * Boundary expanding (Chen et al. 2023). The head gets a shadow class K + 1 with random weights, to
 * which the forget set is assigned:
 *
 *     min  E_{D_f} CE(θ⁺; x, K + 1)
 *
 * The shadow class is then removed, so that its region is divided among the neighbouring classes.
 * The method never reads D_r. Defaults as in the paper: ten epochs of SGD at 1e-5.
 */
export const unlearn: Method<'boundary-expand'> = async (method, context) => {
  const { layers, original, data, forget, seed } = context
  const shadow = data.classes
  const wider = widened(layers, original, stream(seed, 'boundary-expand', 'shadow'))
  const { weights, metrics } = await trainOn(
    method,
    { ...context, layers: wider.layers, original: wider.weights },
    { indices: forget, labelsOf: (batch) => new Int32Array(batch.length).fill(shadow) },
  )
  return { weights: pruned(wider.layers, weights, layers), metrics }
}

/**
 * Adds one class to the model. Its column of the head is initialised like a new model's, and its
 * bias is 0.
 */
export function widened(
  layers: readonly Layer[],
  weights: Weights,
  random: RandomStream,
): { readonly layers: readonly Layer[]; readonly weights: Weights } {
  const head = headOf(layers)
  const wider = [...layers.slice(0, -1), { ...head, out: head.out + 1 }]
  const column = initialise([{ name: 'shadow', shape: [head.in], init: 'he', fanIn: head.in }], random)
  return { layers: wider, weights: withColumns(layers, weights, wider, column) }
}

/** Removes the last class of the wider model. */
export function pruned(wider: readonly Layer[], weights: Weights, layers: readonly Layer[]): Weights {
  return withColumns(wider, weights, layers)
}

/**
 * Resizes the head to the classes of `to`. A class that `from` lacks gets `column` [in] and bias 0.
 */
function withColumns(
  from: readonly Layer[],
  { trained, statistics }: Weights,
  to: readonly Layer[],
  column?: Float32Array,
): Weights {
  const { name, out: before } = headOf(from)
  const { in: rows, out } = headOf(to)
  const tensors = unpackArrays(parameterSpecs(from).trained, trained)
  const { values: weight = [] } = tensors[`${name}.weight`] ?? {}
  const { values: bias = [] } = tensors[`${name}.bias`] ?? {}
  const resized = {
    [`${name}.weight`]: {
      shape: [rows, out],
      values: Float32Array.from({ length: rows * out }, (_, i) => {
        const [row, k] = [Math.floor(i / out), i % out]
        return (k < before ? weight[row * before + k] : column?.[row]) ?? 0
      }),
    },
    [`${name}.bias`]: { shape: [out], values: Float32Array.from({ length: out }, (_, k) => bias[k] ?? 0) },
  }
  return { trained: packArrays(parameterSpecs(to).trained, { ...tensors, ...resized }), statistics }
}
