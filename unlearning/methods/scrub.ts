import type { Scalar, Tensor } from '@tensorflow/tfjs'
import { crossEntropy, klDivergence } from '../../learning/training/losses.ts'
import { forward } from '../../learning/model/forward.ts'
import { parametersOf } from '../../learning/model/predict.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import type { ScheduleSpec } from '../../experiment/spec/optimizer.ts'
import type { Method } from '../method.ts'
import { Minibatches, trainStudent } from './shared/train-student.ts'

/**
 * SCRUB (Kurmanji et al. 2023) without rewinding. The student starts as the original θ_o, moves
 * away from it on the forget set and stays close to it on the retained set. With d(x; θ) = τ² KL(
 * σ(θ_o(x) / τ) ‖ σ(θ(x) / τ) ), epochs alternate between
 *
 *     max  E_{D_f} d(x; θ)                         a pass over D_f, in the first `maxEpochs` only
 *     min  E_{D_r} [ α d(x; θ) + γ CE(θ; x, y) ]   a pass over D_r
 *
 * with one optimizer. The last passes are over D_r and restore accuracy. The curve shows −d in
 * steps over D_f. At θ = θ_o the gradient of d is 0. Unless batch norms make student and teacher
 * differ, the first pass over D_f changes little and the second pass, after one over D_r, forgets.
 * The defaults are those of the authors' code (meghdadk/SCRUB) for CIFAR-10: α = 0.001, γ = 0.99,
 * τ = 4, three epochs, two of them with both passes, SGD at 5e-4 with momentum 0.9 and weight decay
 * 5e-4, batches of 512 of D_f and of 256 of D_r. The learning rate falls to a tenth after each of
 * the epochs 3, 5 and 9, thus only in longer runs. For membership attacks on a small D_f the code
 * has other options: α = 0.5, γ = 1, five epochs, three of them with both passes, and batches of 16
 * of D_f and of 32 of D_r.
 */
export const unlearn: Method<'scrub'> = async (method, context) => {
  const { layers, original, retained, forget, training } = context
  const { alpha, gamma, temperature } = method
  const onForget = new Minibatches(context, forget, method.forgetBatch, 'scrub forget')
  const onRetained = new Minibatches(context, retained, method.batchSize, 'scrub retained')
  const perEpoch = { forget: onForget.batches.perEpoch, retained: onRetained.batches.perEpoch }
  const order = alternation(method.epochs, method.maxEpochs, perEpoch)

  const teacher = parametersOf(layers, original)
  const divergence = (images: Tensor, logits: Tensor): Scalar =>
    klDivergence(forward(layers, teacher, images).output, logits, temperature).mul(temperature ** 2)
  try {
    return await trainStudent(context, {
      ...method,
      schedule: method.schedule ?? decay(method, perEpoch),
      steps: order.length,
      samples: { retained: retained.length, forget: forget.length },
      loss: (student, step) => {
        const { on, number } = order[step] as Step
        if (on === 'forget') {
          const { images } = onForget.at(number)
          // 0 − d instead of −d: d may be 0 at the start, and JSON has no −0.
          return tf.sub(0, divergence(images, student.logits(images)))
        }
        const { images, labels } = onRetained.at(number)
        const logits = student.logits(images)
        const error = crossEntropy(logits, labels, training.labelSmoothing)
        return divergence(images, logits).mul(alpha).add(error.mul(gamma))
      },
    })
  } finally {
    tf.dispose(teacher)
  }
}

interface Step {
  readonly on: 'forget' | 'retained'
  /** Its number among the steps on the same set, from 0. */
  readonly number: number
}

/**
 * The steps of a run. The first `maxEpochs` epochs have a pass over D_f and one over D_r, later
 * epochs only one over D_r.
 */
export function alternation(
  epochs: number,
  maxEpochs: number,
  perEpoch: Readonly<Record<Step['on'], number>>,
): readonly Step[] {
  const pass = (on: Step['on'], epoch: number): Step[] =>
    Array.from({ length: perEpoch[on] }, (_, i) => ({ on, number: epoch * perEpoch[on] + i }))
  return Array.from({ length: epochs }, (_, epoch) => [
    ...(epoch < maxEpochs ? pass('forget', epoch) : []),
    ...pass('retained', epoch),
  ]).flat()
}

/** The learning rate of the authors' code: a tenth after each of the epochs 3, 5 and 9. */
export function decay(
  { epochs, maxEpochs }: { readonly epochs: number; readonly maxEpochs: number },
  perEpoch: Readonly<Record<Step['on'], number>>,
): ScheduleSpec {
  const stepsOf = (first: number) => alternation(first, maxEpochs, perEpoch).length
  const ends = [3, 5, 9].filter((epoch) => epoch < epochs)
  if (ends.length === 0) return { name: 'constant' }
  // Half a step before the end of the epoch, since a fraction of the steps may be rounded.
  const milestones = ends.map((epoch) => (stepsOf(epoch) - 0.5) / stepsOf(epochs))
  return { name: 'step', milestones, factor: 0.1 }
}
