import type { Tensor1D } from '@tensorflow/tfjs'
import type { Layer } from '../../experiment/models/layers.ts'
import type { AccuracyPoint, Measured } from '../../experiment/records/measured.ts'
import { labelsAt, type DeviceData } from '../data/device-data.ts'
import { Compiled } from '../graph/compiled.ts'
import { forward } from '../model/forward.ts'
import type { NamedTensors } from '../model/parameters.ts'
import { tf } from '../tensorflow/tf.ts'
import type { Host } from './host.ts'
import { microBatchSize } from './micro-batches.ts'
import type { StepCallback } from './train.ts'

/** How a training measures the accuracy of its model. */
export interface AccuracyChecks {
  /** The number of epochs between two measurements. */
  readonly every: number
  readonly samples: Readonly<Record<'training' | 'validation', Int32Array>>
  /** Does work whose time is not counted. The time is counted unless given. */
  readonly untimed?: (<T>(work: () => Promise<T>) => Promise<T>) | undefined
}

interface Training {
  readonly layers: readonly Layer[]
  readonly data: DeviceData
  readonly steps: number
  readonly perEpoch: number
  readonly host?: Host | undefined
}

const BATCH = 500

/**
 * The accuracy of a model after every so many epochs of its training and after the last step. It is
 * measured in inference mode, on images without augmentation, and changes nothing in the training.
 */
export class AccuracyCurve {
  points: readonly AccuracyPoint[] = []
  private readonly checks: AccuracyChecks
  private readonly training: Training
  private readonly batchSize: number
  private readonly graphs: Compiled

  constructor(checks: AccuracyChecks, training: Training) {
    this.checks = checks
    this.training = training
    this.batchSize = microBatchSize(BATCH, training.host)
    const { samples, every } = checks
    const { steps, perEpoch } = training
    const batches = Object.values(samples).map(({ length }) => Math.ceil(length / this.batchSize))
    // Whole batches, and what is left of each set.
    const shapes = 3
    const calls = Math.ceil(steps / (every * perEpoch)) * batches.reduce((sum, count) => sum + count)
    this.graphs = new Compiled(calls / shapes, shapes)
  }

  /**
   * parametersAt gives the parameters of the model and its statistics, from the vector that is
   * trained.
   */
  callback(parametersAt: (flat: Tensor1D) => NamedTensors): StepCallback {
    const { every, untimed = (work) => work() } = this.checks
    const { steps, perEpoch } = this.training
    return {
      afterStep: async (step, flat) => {
        if (step % (every * perEpoch) !== 0 && step !== steps) return false
        const { training, validation } = this.checks.samples
        await untimed(async () => {
          const point = {
            step,
            epoch: step / perEpoch,
            training: await this.measure(training, parametersAt, flat),
          }
          this.points = [
            ...this.points,
            validation.length === 0
              ? point
              : { ...point, validation: await this.measure(validation, parametersAt, flat) },
          ]
        })
        return false
      },
      take: () => Promise.resolve({ vectors: {}, notes: { accuracy: this.points } }),
      restore: ({ notes }) => {
        this.points = notes.accuracy as readonly AccuracyPoint[]
      },
    }
  }

  dispose(): void {
    this.graphs.dispose()
  }

  /** The accuracy on the samples at these indices, in percent. */
  private async measure(
    indices: Int32Array,
    parametersAt: (flat: Tensor1D) => NamedTensors,
    flat: Tensor1D,
  ): Promise<Measured> {
    const { layers, data, host } = this.training
    let right = 0
    for (let first = 0; first < indices.length; first += this.batchSize) {
      const batch = indices.subarray(first, first + this.batchSize)
      const compute = () => forward(layers, parametersAt(flat), data.images(batch)).output
      const output = this.graphs.run(() => tf.tidy(compute))
      const logits = (await output.data()) as Float32Array
      output.dispose()
      if (!logits.every(Number.isFinite)) return { missing: 'the logits are not finite' }
      labelsAt(data.labels, batch).forEach((label, i) => {
        const row = logits.subarray(i * data.classes, (i + 1) * data.classes)
        if (row.indexOf(Math.max(...row)) === label) right++
      })
      await host?.step({})
    }
    return { value: (100 * right) / indices.length }
  }
}
