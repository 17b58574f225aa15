import { stepsOf } from '../../learning/data/batches.ts'
import { crossEntropy } from '../../learning/training/losses.ts'
import type { Method } from '../method.ts'
import { Minibatches, trainStudent } from './shared/train-student.ts'

/**
 * Sparsity-aware unlearning (Jia et al. 2023): fine-tuning on the retained set with an L1 penalty
 * on all parameters,
 *
 *     min  E_{D_r} CE(θ; x, y)  +  α_t ‖θ‖₁,    α_t = α (1 − t / T)
 *
 * Weights that D_r does not need shrink first, and the penalty has vanished by the end. The method
 * never reads D_f. Defaults: ten epochs at a rate of 0.01, as in the paper, and α = 5e-4.
 */
export const unlearn: Method<'l1-sparse'> = (method, context) => {
  const { retained, training } = context
  const batches = new Minibatches(context, retained, method.batchSize, 'l1-sparse')
  const steps = stepsOf(method.epochs, batches.batches)
  return trainStudent(context, {
    ...method,
    steps,
    samples: { retained: retained.length, forget: 0 },
    loss: (student, step) => {
      const { images, labels } = batches.at(step)
      const alpha = method.alpha * (1 - step / steps)
      const error = crossEntropy(student.logits(images), labels, training.labelSmoothing)
      // The gradient of abs() in TensorFlow.js is −1 at 0 and would move weights that are exactly
      // 0.
      const norm = student.parameters.mul(student.parameters.sign()).sum()
      return error.add(norm.mul(alpha))
    },
  })
}
