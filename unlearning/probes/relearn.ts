import type { Tensor1D } from '@tensorflow/tfjs'
import type { RelearnPoint } from '../../experiment/stages/relearn.ts'
import type { StageMetrics } from '../../experiment/stages/stage.ts'
import type { OptimizerSpec } from '../../experiment/spec/optimizer.ts'
import type { Layer } from '../../experiment/models/layers.ts'
import type { TrainingSpec } from '../../experiment/spec/training.ts'
import { augmentation, Batches } from '../../learning/data/batches.ts'
import { labelsAt, type DeviceData } from '../../learning/data/device-data.ts'
import { fitLoss } from '../../learning/training/fit.ts'
import type { Host } from '../../learning/training/host.ts'
import { microBatchSize } from '../../learning/training/micro-batches.ts'
import { crossEntropy } from '../../learning/training/losses.ts'
import { parameterSpecs, unpack, type Weights } from '../../learning/model/parameters.ts'
import { parametersOf, predict } from '../../learning/model/predict.ts'
import { permutation, stream } from '../../learning/random.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import type { StepCallback } from '../../learning/training/train.ts'
import { accuracy } from '../metrics/accuracy.ts'
import { rows, type Logits } from '../metrics/logits.ts'

/** "Within 5%" of the original's accuracy, in percentage points. */
const MARGIN = 5
/**
 * The largest number of samples of D_f on which accuracy is measured, so that a measurement costs
 * no more than a few steps.
 */
const MOST_MEASURED = 1000
const BATCH = 500

export interface Relearning {
  readonly layers: readonly Layer[]
  readonly initial: Weights
  readonly data: DeviceData
  /** Sample indices of D_f, and the original's logits for them in the same order. */
  readonly forget: Int32Array
  readonly original: Logits
  readonly maxSteps: number
  readonly batchSize: number
  readonly optimizer: OptimizerSpec
  /** Steps between two measurements of the accuracy. */
  readonly every: number
  /** The augmentation of the original's training. */
  readonly augment: TrainingSpec['augment']
  readonly seed: number
  readonly host?: Host | undefined
}

/**
 * Relearning time: the steps of fine-tuning on D_f alone, min E_{D_f} CE at a constant learning
 * rate, until
 *
 *     FA ≥ FA of the original − 5 points
 *
 * (Tarun et al. 2023, "Fast yet effective machine unlearning"; Chundawat et al. 2023 for the ratio
 * to gold's). FA is measured in inference mode, on the same samples of D_f for the original and at
 * every measurement: before the first step, after every `every` steps and after the last one. All
 * models of a seed see the same batches.
 */
export async function relearn(options: Relearning): Promise<StageMetrics['relearn']> {
  const { layers, initial, data, forget, original, maxSteps, every, augment, seed, host } = options
  const positions = permutation(forget.length, stream(seed, 'relearn', 'looked at')).subarray(
    0,
    MOST_MEASURED,
  )
  const originals = accuracy(atPositions(original, positions))
  if ('missing' in originals)
    return { steps: { missing: `original: ${originals.missing}` }, samples: positions.length, curve: [] }
  const wanted = originals.value - MARGIN

  const measured = positions.map((position) => forget[position] ?? -1)
  const labels = labelsAt(data.labels, measured)
  const specs = parameterSpecs(layers)
  const accuracyOf = async (parameters: ReturnType<typeof parametersOf>) => {
    try {
      const values = await predict(layers, parameters, data, measured, microBatchSize(BATCH, host))
      const found = accuracy({ values, labels, classes: data.classes })
      return 'value' in found ? found.value : NaN
    } finally {
      tf.dispose(parameters)
    }
  }

  let curve: RelearnPoint[] = []
  /** Measures the accuracy. Returns whether it has reached the original's. */
  const measure = async (step: number, parameters: ReturnType<typeof parametersOf>) => {
    const forgetAccuracy = await accuracyOf(parameters)
    curve.push({ step, accuracy: forgetAccuracy })
    return forgetAccuracy >= wanted
  }
  const watching = (statistics: () => Tensor1D): StepCallback => ({
    async afterStep(step, parameters) {
      if (step % every !== 0 && step !== maxSteps) return false
      const current = tf.tidy(() => ({
        ...unpack(specs.trained, parameters),
        ...unpack(specs.statistics, statistics()),
      }))
      return measure(step, current)
    },
    take: () => Promise.resolve({ vectors: {}, notes: { relearned: [...curve] } }),
    restore({ notes }) {
      curve = [...(notes.relearned as readonly RelearnPoint[])]
    },
  })

  const isThere = !host?.snapshot && (await measure(0, parametersOf(layers, initial)))
  if (!isThere) {
    const batches = new Batches(forget, options.batchSize, seed, 'relearn')
    await fitLoss({
      layers,
      initial,
      optimizer: options.optimizer,
      schedule: { name: 'constant' },
      steps: maxSteps,
      loss: (model, step) => {
        const batch = batches.at(step)
        const changes = augmentation({ augment }, seed, 'relearn', step, batch, batches.perEpoch)
        const images = data.images(batch, changes)
        data.prefetch(batches.at(step + 1))
        return crossEntropy(model.logits(images), data.labelsOf(batch))
      },
      callback: watching,
      host,
    })
  }
  const last = curve.at(-1)
  const isReached = last !== undefined && last.accuracy >= wanted
  return {
    steps: isReached ? { value: last.step } : { missing: `not within ${maxSteps} steps` },
    wanted,
    samples: measured.length,
    curve,
  }
}

function atPositions({ values, labels, classes }: Logits, positions: Int32Array): Logits {
  const all = rows(values, classes)
  const chosen = new Float32Array(positions.length * classes)
  positions.forEach((position, i) => {
    chosen.set(all[position] ?? [], i * classes)
  })
  return { values: chosen, labels: positions.map((position) => labels[position] ?? -1), classes }
}
