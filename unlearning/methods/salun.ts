import type { Tensor1D } from '@tensorflow/tfjs'
import { labelsAt } from '../../learning/data/device-data.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import { trainOn } from './shared/train-epochs.ts'
import { batchesOf, gradientAt, sumsOf, withoutSnapshots } from './shared/gradients.ts'
import type { Method, UnlearnContext } from '../method.ts'
import { relabelled } from './random-label.ts'

/**
 * SalUn (Fan et al. 2024): random labels for the salient weights only,
 *
 *     m_i = 1 where |∇_θ E_{D_f} CE(θ_o)|_i is among the largest `share` of all, else 0
 *     min_{Δθ}  E_{D_r} CE(θ_u; x, y) + E_{D_f} CE(θ_u; x, y′),   θ_u = θ_o + m ⊙ Δθ
 *
 * y′ is that of random-label. The mask applies to whole updates, including momentum and weight
 * decay, so a weight outside m never changes. The gradient is taken in inference mode at θ_o. The
 * authors' code (OPTML-Group/Unlearn-Saliency) does the same. For CIFAR-10 it also passes over D_f
 * before D_r in every epoch, and draws y′ anew each time, from all classes including y. The
 * defaults are half of the weights as in the paper (its median threshold), and the code's 10 epochs
 * of batches of 256 with SGD at 0.01, momentum 0.9 and weight decay 5e-4. Its example for a random
 * tenth of CIFAR-10 has a learning rate of 0.013.
 */
export const unlearn: Method<'salun'> = async (method, context) => {
  const labels = relabelled(context)
  const mask = largest(await saliency(context), method.share)
  return trainOn(method, context, {
    indices: Int32Array.from([...context.retained, ...context.forget]),
    labelsOf: (batch) => labelsAt(labels, batch),
    mask,
  })
}

/** The saliency |∇_θ E_{D_f} CE(θ_o)|, [size]. */
async function saliency({ layers, original, data, forget, host }: UnlearnContext): Promise<Float32Array> {
  tf.engine().startScope()
  try {
    const gradient = gradientAt(layers, original, data)
    const batches = batchesOf(forget, 256)
    const term = (batch: Int32Array) => gradient(batch).mul<Tensor1D>(batch.length / forget.length)
    const [sum] = await sumsOf([{ batches, term }], original.trained.length, {
      data,
      host: withoutSnapshots(host),
    })
    return (await (sum as Tensor1D).abs().data()) as Float32Array
  } finally {
    tf.engine().endScope()
  }
}

/**
 * A mask with 1 for the largest `share` of the values and 0 for the others. The first of equal
 * values come first.
 */
export function largest(values: Float32Array, share: number): Float32Array {
  const count = Math.max(1, Math.round(share * values.length))
  const threshold = values.slice().sort()[values.length - count] ?? 0
  let equal = count - values.reduce((above, value) => above + Number(value > threshold), 0)
  return values.map((value) => Number(value > threshold || (value === threshold && equal-- > 0)))
}
