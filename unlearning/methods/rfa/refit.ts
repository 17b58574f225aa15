import type { Tensor, Tensor2D } from '@tensorflow/tfjs'
import type { Layer } from '../../../experiment/models/layers.ts'
import { REFIT_BATCH } from '../../../experiment/spec/rfa-refit.ts'
import { Batches, stepsOf } from '../../../learning/data/batches.ts'
import { fitLoss } from '../../../learning/training/fit.ts'
import type { Host } from '../../../learning/training/host.ts'
import { crossEntropy } from '../../../learning/training/losses.ts'
import { forward } from '../../../learning/model/forward.ts'
import { initialWeights, parameterSpecs } from '../../../learning/model/parameters.ts'
import { parametersOf } from '../../../learning/model/predict.ts'
import { stream } from '../../../learning/random.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import type { LabelledInput } from './teacher.ts'

const PREDICT = 512
const optimizer = { name: 'adam', learningRate: 1e-3, beta1: 0.9, beta2: 0.999, weightDecay: 0 } as const

/**
 * Trains the layers `top` from random weights on retained samples alone, on the outputs of the
 * frozen layers below (EU-k of Goel et al. 2022). Above those layers, nothing of D_f influences the
 * predictions. Returns a model that computes logits [n, classes], row-major, from inputs of `top`.
 * The caller disposes of it.
 */
export async function refit(
  top: readonly Layer[],
  retained: LabelledInput,
  { epochs, seed, host }: { epochs: number; seed: number; host?: Host | undefined },
): Promise<{ logits(input: Tensor): Promise<Float32Array>; dispose(): void }> {
  const batches = new Batches(
    Int32Array.from(retained.labels, (_, i) => i),
    REFIT_BATCH,
    seed,
    'refit',
  )
  const { weights } = await fitLoss({
    layers: top,
    initial: initialWeights(parameterSpecs(top), stream(seed, 'refit', 'weights')),
    steps: stepsOf(epochs, batches),
    optimizer,
    schedule: { name: 'cosine' },
    loss: (model, step) => {
      const batch = batches.positions(step)
      const labels = tf.tensor1d(
        batch.map((i) => retained.labels[i] ?? 0),
        'int32',
      )
      return crossEntropy(model.logits(tf.gather(retained.input, tf.tensor1d(batch, 'int32'))), labels)
    },
    host: { step: async () => host?.step({}) },
  })
  const parameters = parametersOf(top, weights)
  return {
    async logits(input) {
      const [n = 0] = input.shape
      const batches: Float32Array[] = []
      for (let first = 0; first < n; first += PREDICT) {
        const output = tf.tidy(
          () => forward(top, parameters, input.slice(first, Math.min(PREDICT, n - first))).output as Tensor2D,
        )
        batches.push((await output.data()) as Float32Array)
        output.dispose()
        await host?.step({})
      }
      const classes = (batches[0]?.length ?? 0) / Math.min(n, PREDICT)
      const all = new Float32Array(n * classes)
      batches.forEach((batch, i) => {
        all.set(batch, i * PREDICT * classes)
      })
      return all
    },
    dispose: () => {
      tf.dispose(parameters)
    },
  }
}
