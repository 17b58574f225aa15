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
 * There is no training. The defaults α = 10 and λ = 1 are the paper's for ResNet-18. Its code
 * squares the gradient of a whole batch of 128 where the equation has single samples, and so does
 * the default `batchSize`. Smaller batches need a different α.
 */
export const unlearn: Method<'ssd'> = async (method, context) => {
  const { layers, original, data, retained, forget, host } = context
  tf.engine().startScope()
  try {
    const gradient = gradientAt(layers, original, data)
    const [ofForget, ofAll] = [forget, Int32Array.from([...retained, ...forget])].map((indices) => ({
      batches: batchesOf(indices, method.batchSize),
      term: (batch: Int32Array) => gradient(batch).square(),
    })) as [Importance, Importance]
    const steps = ofForget.batches.length + ofAll.batches.length
    const sums = await sumsOf([ofForget, ofAll], original.trained.length, { data, host, steps })
    const [onForget, onAll] = sums as [Tensor1D, Tensor1D]

    const theta = dampened(
      tf.tensor1d(original.trained),
      onForget.div(ofForget.batches.length),
      onAll.div(ofAll.batches.length),
      method,
    )
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

/** Dampens the parameters that are much more important to D_f than to D. All tensors are [size]. */
export function dampened(
  theta: Tensor1D,
  onForget: Tensor1D,
  onAll: Tensor1D,
  { alpha, lambda }: { readonly alpha: number; readonly lambda: number },
): Tensor1D {
  const selected = onForget.greater(onAll.mul(alpha))
  const factor = onAll.mul(lambda).div(onForget).minimum(1)
  return tf.where(selected, theta.mul<Tensor1D>(factor), theta)
}
