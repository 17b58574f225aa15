import { stepsOf } from '../../learning/data/batches.ts'
import { labelsAt } from '../../learning/data/device-data.ts'
import { crossEntropy } from '../../learning/training/losses.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import { trainAdapter } from './shared/train-adapter.ts'
import type { Method } from '../method.ts'
import { Minibatches } from './shared/train-student.ts'
import { relabelled } from './random-label.ts'

/**
 * Random labels (Golatkar et al. 2020) with a LoRA adapter:
 *
 *     min_{A,B}  E_{D_r} CE(θ_o + ΔW; x, y) + E_{D_f} CE(θ_o + ΔW; x, y′)
 *
 * y′ is that of random-label. The comparison with random-label shows the effect of the adapter, and
 * the comparison with rfa the effect of alignment. Options that are left out come from the
 * experiment's `training`, as for random-label.
 */
export const unlearn: Method<'lora-random-label'> = (method, context) => {
  const { retained, forget, training } = context
  const labels = relabelled(context)
  const samples = Int32Array.from([...retained, ...forget])
  const batches = new Minibatches(context, samples, method.batchSize ?? training.batchSize, method.method)
  return trainAdapter(method, context, {
    steps: stepsOf(method.epochs, batches.batches),
    samples: { retained: retained.length, forget: forget.length },
    optimizer: method.optimizer ?? training.optimizer,
    schedule: method.schedule,
    loss: (student, step) => {
      const { indices, images } = batches.at(step)
      const targets = tf.tensor1d(labelsAt(labels, indices), 'int32')
      return crossEntropy(student.logits(images), targets, training.labelSmoothing)
    },
  })
}
