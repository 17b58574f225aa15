import { flattenLayers } from '../../experiment/models/layers.ts'
import { packArrays, parameterSpecs, unpackArrays } from '../../learning/model/parameters.ts'
import type { Method } from '../method.ts'
import { trainOn } from './shared/train-epochs.ts'

/**
 * Convolution transpose (Cadet et al. 2024, arXiv 2410.01276; a solution of the NeurIPS 2023
 * unlearning challenge). Height and width of every convolution kernel are swapped, which disturbs
 * what the model has learnt, and fine-tuning on D_r repairs it:
 *
 *     W[i, j] ← W[j, i] of every convolution,    then  min E_{D_r} CE
 *
 * Defaults: 3 epochs of SGD at 1e-3 with momentum 0.9, weight decay 5e-4, batches of 64 and a
 * cosine.
 */
export const unlearn: Method<'ct'> = (method, context) => {
  const { layers, original, retained } = context
  const { trained: specs } = parameterSpecs(layers)
  const convolutions = new Set(
    flattenLayers(layers).flatMap(({ kind, name }): string[] => (kind === 'conv' ? [`${name}.weight`] : [])),
  )
  const tensors = Object.entries(unpackArrays(specs, original.trained)).map(
    ([name, tensor]) => [name, convolutions.has(name) ? transposed(tensor) : tensor] as const,
  )
  const trained = packArrays(specs, Object.fromEntries(tensors))
  return trainOn(method, context, { indices: retained, initial: { ...original, trained } })
}

/** A kernel [k, k, in, out] with height and width swapped. */
function transposed({ shape, values }: { readonly shape: readonly number[]; readonly values: Float32Array }) {
  const [height = 0, width = 0, into = 0, out = 0] = shape
  const size = into * out
  const swapped = new Float32Array(values.length)
  for (let i = 0; i < height; i++)
    for (let j = 0; j < width; j++) {
      const from = (i * width + j) * size
      swapped.set(values.subarray(from, from + size), (j * height + i) * size)
    }
  return { shape: [width, height, into, out], values: swapped }
}
