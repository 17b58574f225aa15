import { stepsOf } from '../../learning/data/batches.ts'
import { klDivergence } from '../../learning/training/losses.ts'
import { forward } from '../../learning/model/forward.ts'
import { initialWeights, parameterSpecs } from '../../learning/model/parameters.ts'
import { parametersOf } from '../../learning/model/predict.ts'
import { sample, stream } from '../../learning/random.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import type { Method } from '../method.ts'
import { Minibatches, trainStudent } from './shared/train-student.ts'

/**
 * Bad teaching (Chundawat et al. 2023, "blindspot"). The student starts as the original. It learns
 * from a competent teacher (the original) on part of the retained set, and from an incompetent
 * teacher (a randomly initialised model) on D_f:
 *
 *     min  E_{x in D_r′ ∪ D_f}  KL( σ(T(x) / τ) ‖ σ(θ(x) / τ) ),
 *     T = T_incompetent on D_f, T = T_competent on D_r′
 *
 * D_r′ is drawn once, and batches mix both sets. Labels are never read. The teachers see the same
 * augmented images as the student, in inference mode. KL is the mean over samples. The published
 * code also divides it by the number of classes, which matters little to Adam. Defaults, as
 * published: 30% of D_r, one epoch, batches of 256, Adam at 1e-4 and τ = 1.
 */
export const unlearn: Method<'bad-teacher'> = async (method, context) => {
  const { layers, original, retained, forget, seed } = context
  const count = Math.max(1, Math.round(method.retainedFraction * retained.length))
  const subset = sample(retained, count, stream(seed, 'bad-teacher', 'retained'))
  const twin = initialWeights(parameterSpecs(layers), stream(seed, 'bad-teacher', 'incompetent'))
  const forgotten = new Set(forget)
  const samples = Int32Array.from([...subset, ...forget])
  const batches = new Minibatches(context, samples, method.batchSize, 'bad-teacher')

  const competent = parametersOf(layers, original)
  const incompetent = parametersOf(layers, twin)
  try {
    return await trainStudent(context, {
      ...method,
      steps: stepsOf(method.epochs, batches.batches),
      samples: { retained: subset.length, forget: forget.length },
      loss: (student, step) => {
        const { indices, images } = batches.at(step)
        const isForgotten = tf.tensor2d(
          [...indices].map((i) => [forgotten.has(i)]),
          [indices.length, 1],
          'bool',
        )
        const teacher = tf.where(
          isForgotten,
          forward(layers, incompetent, images).output,
          forward(layers, competent, images).output,
        )
        return klDivergence(teacher, student.logits(images), method.temperature)
      },
    })
  } finally {
    tf.dispose([competent, incompetent])
  }
}
