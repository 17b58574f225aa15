import type { Tensor, Tensor1D } from '@tensorflow/tfjs'
import { stepsOf } from '../../learning/data/batches.ts'
import { forward } from '../../learning/model/forward.ts'
import { parametersOf } from '../../learning/model/predict.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import { klDivergence } from '../../learning/training/losses.ts'
import { deleteAbout, deleteOptions } from '../../experiment/spec/delete-options.ts'
import { defineMethod } from '../define-method.ts'
import { Minibatches, trainStudent } from './shared/train-student.ts'

/**
 * DELETE, decoupled distillation to erase (Zhou et al. 2025, arXiv 2503.23751). The student learns
 * the original's probabilities of the other classes from the forget set alone:
 *
 *     min  E_{D_f}  KL( σ(m(θ_o(x), y)) ‖ σ(θ(x)) ),    m(z, y)_y = −∞,  m(z, y)_k = z_k otherwise
 *
 * The teacher is in inference mode and sees the same augmented images. The method never reads D_r.
 * Defaults: 20 epochs of SGD at 1e-4 with momentum 0.9 and batches of 128.
 */
export default defineMethod({
  name: 'delete',
  about: deleteAbout,
  options: deleteOptions,
  async unlearn(context, options) {
    const { layers, original, forget, data } = context
    const batches = new Minibatches(context, forget, options.batchSize, 'delete')
    const teacher = parametersOf(layers, original)
    try {
      return await trainStudent(context, {
        ...options,
        steps: stepsOf(options.epochs, batches.batches),
        samples: { retained: 0, forget: forget.length },
        loss: (student, step) => {
          const { images, labels } = batches.at(step)
          const wanted = withoutClass(forward(layers, teacher, images).output, labels, data.classes)
          return klDivergence(wanted, student.logits(images))
        },
      })
    } finally {
      tf.dispose(teacher)
    }
  },
})

/**
 * Logits [n, classes] in which the true class has no probability. A finite number stands for −∞,
 * since 0 · ∞ in the divergence would not be a number.
 */
function withoutClass(logits: Tensor, labels: Tensor1D, classes: number): Tensor {
  return tf.where(tf.oneHot(labels, classes).cast('bool'), -1e10, logits)
}
