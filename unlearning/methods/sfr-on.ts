import type { Scalar, Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs'
import { tf } from '../../learning/tensorflow/tf.ts'
import { crossEntropy } from '../../learning/training/losses.ts'
import type { Method, UnlearnContext } from '../method.ts'
import { batchesOf, gradientAt, sumsOf, withoutSnapshots } from './shared/gradients.ts'
import { Minibatches, trainStudent } from './shared/train-student.ts'

/**
 * SFR-on, saliency forgetting in the remain-preserving manifold (Huang et al. 2024, arXiv
 * 2409.19732). Every iteration descends on D_r. Every `every`-th of them ascends on D_f first:
 *
 *     g_f = −α_t ∇ Σ_i w_i CE_i,    w_i ∝ CE_i^−λ,  Σ_i w_i = 1,    α_t = α (1 + cos(π t / T)) / 2
 *     θ ← step( clip( m ⊙ g_f ) ),    m = 1 where F_f / F_r ≥ threshold,
 *     θ ← step( ∇ E_{D_r} CE )
 *
 * with one optimizer. F is the mean over batches of squared gradients at θ_o in inference mode. The
 * curve shows −Σ w_i CE_i, without α_t, in steps that ascend. As in the authors' code, the slow
 * weights of the paper do not move apart (its `ema_beta` is 1), and momentum, weight decay and the
 * learning rate's cosine count both kinds of step. Defaults for CIFAR-10 as in this code: 1,500
 * iterations, every fifth ascends with α = 25, λ = 0.5, threshold 1, norm at most 7, SGD at 0.01
 * with momentum 0.9, weight decay 5e-4 and batches of 256.
 */
export const unlearn: Method<'sfr-on'> = async (method, context) => {
  const { retained, forget, training } = context
  const { iterations, every, alpha, lambda, batchSize } = method
  const mask = await saliencyMask(context, method.threshold, batchSize)
  const onForget = new Minibatches(context, forget, batchSize, 'sfr-on forget')
  const onRetained = new Minibatches(context, retained, batchSize, 'sfr-on retained')
  const order = iterationSteps(iterations, every)
  const strength = (iteration: number) => (alpha * (1 + Math.cos((Math.PI * iteration) / iterations))) / 2
  try {
    return await trainStudent(context, {
      ...method,
      steps: order.length,
      samples: { retained: retained.length, forget: forget.length },
      loss: (student, step) => {
        const { ascends, iteration } = order[step] as Step
        if (!ascends) {
          const { images, labels } = onRetained.at(iteration)
          return crossEntropy(student.logits(images), labels, training.labelSmoothing)
        }
        const { images, labels } = onForget.at(iteration / every)
        return weightedError(student.logits(images), labels, lambda).neg()
      },
      changeGradient: (gradient, step) => {
        const { ascends, iteration } = order[step] as Step
        if (!ascends) return gradient
        return clipped(gradient.mul<Tensor1D>(mask).mul(strength(iteration)), method.maxNorm)
      },
    })
  } finally {
    mask.dispose()
  }
}

interface Step {
  readonly ascends: boolean
  readonly iteration: number
}

/** The optimizer steps of all iterations. */
export function iterationSteps(iterations: number, every: number): readonly Step[] {
  return Array.from({ length: iterations }, (_, iteration) => [
    ...(iteration % every === 0 ? [{ ascends: true, iteration }] : []),
    { ascends: false, iteration },
  ]).flat()
}

/** Σ_i w_i CE_i with w_i ∝ CE_i^−λ, which count as constants in the gradient. */
export function weightedError(logits: Tensor, labels: Tensor1D, lambda: number): Scalar {
  const targets = tf.oneHot(labels, logits.shape[1] ?? 0).toFloat()
  const errors = tf
    .logSoftmax(logits as Tensor2D)
    .mul(targets)
    .sum(1)
    .neg()
  // tfjs has no operation that stops a gradient. This one has the gradient 0.
  const constant = tf.customGrad((...args: unknown[]) => {
    const [values] = args as [Tensor]
    const inverse = tf.scalar(1).div(values.pow(lambda).add(1e-15))
    return { value: inverse.div(inverse.sum()), gradFunc: (dy: Tensor) => tf.zerosLike(dy) }
  })
  return errors.mul(constant(errors)).sum().asScalar()
}

/** A vector, shortened to a norm of `maxNorm` if it is longer. */
export function clipped(vector: Tensor1D, maxNorm: number): Tensor1D {
  const norm = vector.square().sum().sqrt()
  return vector.mul(tf.minimum(tf.scalar(maxNorm).div(norm.add(1e-6)), 1))
}

/** m: 1 where the forget set's squared gradients are at least `threshold` times those of D_r. */
async function saliencyMask(
  { layers, original, data, retained, forget, host }: UnlearnContext,
  threshold: number,
  batchSize: number,
): Promise<Tensor1D> {
  tf.engine().startScope()
  try {
    const gradient = gradientAt(layers, original, data)
    const passes = [forget, retained].map((indices) => {
      const batches = batchesOf(indices, batchSize)
      return {
        batches,
        term: (batch: Int32Array) => gradient(batch).square().div<Tensor1D>(batches.length),
      }
    })
    const [onForget, onRetained] = (await sumsOf(passes, original.trained.length, {
      data,
      host: withoutSnapshots(host),
    })) as [Tensor1D, Tensor1D]
    const ratio = onForget.add(1e-15).div<Tensor1D>(onRetained.add(1e-15))
    return tf.keep(ratio.greaterEqual<Tensor1D>(threshold).toFloat())
  } finally {
    tf.engine().endScope()
  }
}
