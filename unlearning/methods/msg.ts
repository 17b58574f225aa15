import type { Tensor1D } from '@tensorflow/tfjs'
import { flattenLayers, type Layer } from '../../experiment/models/layers.ts'
import { parameterSpecs, sizeOf } from '../../learning/model/parameters.ts'
import { sample, stream } from '../../learning/random.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import type { Method, UnlearnContext } from '../method.ts'
import { batchesOf, gradientAt, sumsOf, withoutSnapshots } from './shared/gradients.ts'
import { trainOn } from './shared/train-epochs.ts'

/**
 * Masked small gradients (Cadet et al. 2024, arXiv 2410.01276; a solution of the NeurIPS 2023
 * unlearning challenge). In every convolution, the `share` of the weights with the smallest |g|,
 *
 *     g = ∇_θ ( Σ_b CE(θ_o; b) over batches of D_r′ − Σ_b CE(θ_o; b) over batches of D_f )
 *
 * starts anew, normal with variance 2 / fan-out. Fine-tuning on D_r follows, in which the gradients
 * of the other convolution weights are multiplied by `damping`. D_r′ is drawn once and has the size
 * of D_f. g is computed in inference mode. The learning rate rises in the first half of the epochs
 * and then falls along the schedule; the authors' code falls linearly, once an epoch. Defaults as
 * in this code: share 0.3, damping 0.1, 5 epochs of SGD at 1e-3 with momentum 0.9, weight decay
 * 5e-4 and batches of 64.
 */
export const unlearn: Method<'msg'> = async (method, context) => {
  const { layers, original, retained, seed } = context
  const gradient = await differenceOfGradients(context)
  const random = stream(seed, 'msg', 'initial')
  const trained = original.trained.slice()
  const factors = new Float32Array(trained.length).fill(1)
  for (const { from, to, fanOut } of convolutionWeights(layers)) {
    factors.fill(method.damping, from, to)
    for (const i of smallest(gradient.subarray(from, to), method.share)) {
      trained[from + i] = Math.sqrt(2 / fanOut) * random.normal()
      factors[from + i] = 1
    }
  }
  const factor = tf.tensor1d(factors)
  try {
    const { metrics, ...rest } = await trainOn(method, context, {
      indices: retained,
      initial: { ...original, trained },
      warmupEpochs: method.epochs / 2,
      changeGradient: (found) => found.mul(factor),
    })
    const samplesUsed = { forget: context.forget.length, retained: retained.length }
    return { ...rest, metrics: { ...metrics, samplesUsed } }
  } finally {
    factor.dispose()
  }
}

/** |g|, [size]. */
async function differenceOfGradients(context: UnlearnContext): Promise<Float32Array> {
  const { layers, original, data, retained, forget, seed, host } = context
  tf.engine().startScope()
  try {
    const gradient = gradientAt(layers, original, data)
    const part = sample(retained, forget.length, stream(seed, 'msg', 'retained'))
    const passes = [part, forget].map((indices) => ({ batches: batchesOf(indices, 64), term: gradient }))
    const [onRetained, onForget] = await sumsOf(passes, original.trained.length, {
      data,
      host: withoutSnapshots(host),
    })
    return (await (onRetained as Tensor1D)
      .sub(onForget as Tensor1D)
      .abs()
      .data()) as Float32Array
  } finally {
    tf.engine().endScope()
  }
}

/** Where the weights of each convolution lie in the flat vector, and their fan-out k² · out. */
function convolutionWeights(layers: readonly Layer[]) {
  const fanOut = new Map(
    flattenLayers(layers).flatMap((layer) =>
      layer.kind === 'conv' ? [[layer.name, layer.kernel ** 2 * layer.out] as const] : [],
    ),
  )
  let to = 0
  return parameterSpecs(layers).trained.flatMap((spec) => {
    const from = to
    to += sizeOf(spec)
    const fan = spec.name.endsWith('.weight') ? fanOut.get(spec.name.slice(0, -'.weight'.length)) : undefined
    return fan === undefined ? [] : [{ from, to, fanOut: fan }]
  })
}

/** The positions of the smallest `share` of the values. The first of equal values come first. */
export function smallest(values: Float32Array, share: number): Uint32Array {
  const order = Uint32Array.from(values, (_, i) => i)
  order.sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0) || a - b)
  return order.subarray(0, Math.round(share * values.length)).sort()
}
