import type { Tensor1D } from '@tensorflow/tfjs'
import { tf } from '../../learning/tensorflow/tf.ts'
import { batchesOf, gradientAt, sumsOf } from './shared/gradients.ts'
import type { Method } from '../method.ts'

/**
 * Selective synaptic dampening (Foster et al. 2024). I_S = E_{x in S} (∇_θ CE(x))² is the
 * importance of each parameter to a set S, the diagonal of its Fisher information. Then
 *
 *     θ_i ← min(λ I_D,i / I_f,i, 1) · θ_i   where I_f,i > α I_D,i
 *
 * There is no training. The defaults α = 10 and λ = 1 are the paper's for ResNet-18. The authors'
 * code (if-loops/selective-synaptic-dampening) squares the gradient of a whole batch where the
 * equation has single samples, and so does the default `batchSize`, which is the code's for random
 * samples (64 for classes). Smaller batches need a different α.
 *
 * D contains D_f, so I_D ≥ (|D_f| / |D|) I_f, but for the division into batches. α ≥ |D| / |D_f|
 * therefore selects nothing and is refused. The authors forget 0.2% to 5% of the data. Their later
 * code (Schoepf et al. 2024, arXiv 2402.10098) is for forget sets of any size. It is `alpha:
 * adaptive` with `importance: retained`: I_r of D_r takes the place of I_D, and α is the percentile
 * 100 − ln(1 + 100 |D_f| / |D|) of all finite I_f,i / I_r,i.
 */
export const unlearn: Method<'ssd'> = async (method, context) => {
  const { layers, original, data, retained, forget, host } = context
  const all = Int32Array.from([...retained, ...forget])
  tf.engine().startScope()
  try {
    const gradient = gradientAt(layers, original, data)
    const [ofForget, ofOthers] = [forget, method.importance === 'all' ? all : retained].map((indices) => ({
      batches: batchesOf(indices, method.batchSize),
      term: (batch: Int32Array) => gradient(batch).square(),
    })) as [Importance, Importance]
    const steps = ofForget.batches.length + ofOthers.batches.length
    const sums = await sumsOf([ofForget, ofOthers], original.trained.length, { data, host, steps })
    const [sumOfForget, sumOfOthers] = sums as [Tensor1D, Tensor1D]
    const onForget = sumOfForget.div<Tensor1D>(ofForget.batches.length)
    const onOthers = sumOfOthers.div<Tensor1D>(ofOthers.batches.length)

    const { lambda } = method
    const alpha =
      method.alpha === 'adaptive'
        ? adaptiveAlpha((await onForget.div(onOthers).data()) as Float32Array, forget.length / all.length)
        : method.alpha
    const theta = dampened(tf.tensor1d(original.trained), onForget, onOthers, { alpha, lambda })
    return {
      weights: { trained: ((await theta.data()) as Float32Array).slice(), statistics: original.statistics },
      metrics: {
        trainable: original.trained.length,
        steps,
        samplesUsed: { retained: retained.length, forget: forget.length },
        curve: [],
      },
    }
  } finally {
    tf.engine().endScope()
  }
}

type Importance = Parameters<typeof sumsOf>[0][number]

/**
 * The percentile 100 − ln(1 + 100 `share`) of the finite ratios, interpolated linearly. `share` is
 * that of D_f in D. Infinite if no ratio is finite.
 */
export function adaptiveAlpha(ratios: Float32Array, share: number): number {
  const sorted = ratios.filter(Number.isFinite).sort()
  const place = (1 - Math.log1p(100 * share) / 100) * (sorted.length - 1)
  const below = sorted[Math.floor(place)] ?? Infinity
  const above = sorted[Math.ceil(place)] ?? Infinity
  return below === above ? below : below + (place - Math.floor(place)) * (above - below)
}

/**
 * Dampens the parameters that are much more important to D_f than to the other set. All tensors are
 * [size].
 */
export function dampened(
  theta: Tensor1D,
  onForget: Tensor1D,
  onOthers: Tensor1D,
  { alpha, lambda }: { readonly alpha: number; readonly lambda: number },
): Tensor1D {
  const selected = onForget.greater(onOthers.mul(alpha))
  const factor = onOthers.mul(lambda).div(onForget).minimum(1)
  return tf.where(selected, theta.mul<Tensor1D>(factor), theta)
}
