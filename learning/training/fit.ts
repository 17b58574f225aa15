import type { Rank, Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs'
import type { AccuracyPoint, CurvePoint } from '../../experiment/records/measured.ts'
import type { LookaheadSpec, OptimizerSpec, ScheduleSpec } from '../../experiment/spec/optimizer.ts'
import type { Layer } from '../../experiment/models/layers.ts'
import type { TrainingSpec } from '../../experiment/spec/training.ts'
import { augmentation } from '../data/batches.ts'
import type { DeviceData } from '../data/device-data.ts'
import { TrainingBatches, type LateSamples } from '../data/training-batches.ts'
import { AccuracyCurve, type AccuracyChecks } from './accuracy-curve.ts'
import { crossEntropy } from './losses.ts'
import type { Host, Snapshot } from './host.ts'
import { Lookahead } from './lookahead.ts'
import { inMicroBatches, type RowsOf } from './micro-batches.ts'
import { forward } from '../model/forward.ts'
import {
  frozenTensors,
  parameterSpecs,
  sizeOf,
  unpack,
  type NamedTensors,
  type ParameterSpec,
  type Weights,
} from '../model/parameters.ts'
import { tf } from '../tensorflow/tf.ts'
import { composeCallbacks, train, vector, type StepCallback, type TrainingRun } from './train.ts'

/**
 * Training with cross-entropy. The original, gold and shadow models and many methods are trained
 * this way.
 */
export interface Fit {
  readonly layers: readonly Layer[]
  readonly initial: Weights
  readonly data: DeviceData
  /** The samples to train on. `labelsOf` replaces the labels of the data. */
  readonly indices: Int32Array
  readonly labelsOf?: (batch: Int32Array) => Int32Array
  readonly epochs: number
  readonly batchSize: number
  readonly optimizer: OptimizerSpec
  readonly schedule: ScheduleSpec
  readonly warmupEpochs?: number
  /** Averages parameters and running statistics during the training. Not done unless given. */
  readonly lookahead?: LookaheadSpec | undefined
  readonly training: TrainingSpec
  /** Samples that are read in the last part of the training only. */
  readonly late?: LateSamples | undefined
  /**
   * Samples of `indices` that are left out of their batches. All other random draws stay as they
   * are. The loss of a batch is the mean over the samples that are left. A step without samples is
   * skipped.
   */
  readonly without?: Int32Array | undefined
  /** A parameter whose mask is 0 keeps its value. [size]. */
  readonly mask?: Float32Array | undefined
  readonly changeGradient?: TrainingRun['changeGradient']
  /** −1 maximises the loss. */
  readonly direction?: 1 | -1
  /** The accuracy is not measured unless given. */
  readonly accuracyChecks?: AccuracyChecks | undefined
  readonly seed: number
  /** The name of the random streams. */
  readonly purpose: string
  readonly host?: Host | undefined
}

export interface Fitted {
  readonly weights: Weights
  readonly steps: number
  readonly curve: readonly CurvePoint[]
  /** Present if it was measured. */
  readonly accuracy?: readonly AccuracyPoint[]
}

export async function fit(options: Fit): Promise<Fitted> {
  const { layers, indices, accuracyChecks, seed, purpose } = options
  const batches = new TrainingBatches({ ...options, indices, seed, purpose })
  if (!accuracyChecks) return fitBatches(options, batches)
  const { steps, perEpoch } = batches
  const curve = new AccuracyCurve(accuracyChecks, { ...options, steps, perEpoch })
  const specs = parameterSpecs(layers)
  try {
    const fitted = await fitBatches(options, batches, (statistics) =>
      curve.callback((flat) => ({
        ...unpack(specs.trained, flat),
        ...unpack(specs.statistics, statistics()),
      })),
    )
    return { ...fitted, accuracy: curve.points }
  } finally {
    curve.dispose()
  }
}

function fitBatches(
  options: Fit,
  batches: TrainingBatches,
  callback?: NonNullable<FitLoss['callback']>,
): Promise<Fitted> {
  const { data, training, direction = 1, seed, purpose } = options
  return fitLoss({
    ...options,
    ...(callback && { callback }),
    steps: batches.steps,
    warmupSteps: Math.round((options.warmupEpochs ?? 0) * batches.perEpoch),
    batchSizes: batches.countSizes(),
    skips: options.without && ((step) => batches.at(step).samples.length === 0),
    loss: (model, step) => {
      const { drawn, rows, samples: batch } = batches.at(step)
      const changes = augmentation(training, seed, purpose, step, drawn, batches.perEpoch)
      const within = rows && { size: drawn.length, rows }
      const images = data.images(batch, changes && { ...changes, within })
      data.prefetch(batches.at(step + 1).samples)
      const labels = options.labelsOf ? tf.tensor1d(options.labelsOf(batch), 'int32') : data.labelsOf(batch)
      const loss = crossEntropy(model.logits(images), labels, training.labelSmoothing)
      return direction === 1 ? loss : loss.neg()
    },
  })
}

/** A model in training, as the loss of one step sees it. */
export interface Model {
  /** θ as a flat vector. */
  readonly parameters: Tensor1D
  /**
   * Logits [n, classes] of images [n, h, w, c]. Batch norms use the statistics of the batch and
   * update the running ones.
   */
  logits(images: Tensor): Tensor
}

/** Training of a whole model with any loss that is differentiable in the model's parameters. */
export interface FitLoss
  extends
    Pick<
      Fit,
      'layers' | 'initial' | 'optimizer' | 'schedule' | 'lookahead' | 'mask' | 'changeGradient' | 'host'
    >,
    Pick<TrainingRun, 'batchSizes' | 'skips'> {
  readonly steps: number
  readonly warmupSteps?: number
  readonly loss: (model: Model, step: number) => Scalar
  /**
   * A callback for the steps. `statistics` returns the current running statistics of batch norms.
   */
  readonly callback?: (statistics: () => Tensor1D) => StepCallback
}

export async function fitLoss({ layers, initial, loss, callback, ...options }: FitLoss): Promise<Fitted> {
  const specs = parameterSpecs(layers)
  const { lookahead, steps: planned } = options
  const running = new RunningStatistics(
    specs.statistics,
    initial.statistics,
    lookahead && new Lookahead(lookahead, planned, initial.statistics),
  )
  const frozen = frozenTensors(specs, initial.statistics)
  const { microBatches = 1 } = options.host ?? {}
  /**
   * Batch norms use the statistics of each micro-batch. The running statistics follow their mean.
   */
  const logitsInParts = (flat: Tensor1D, images: Tensor) => {
    const seen: { readonly rows: number; readonly statistics: NamedTensors }[] = []
    const run: RowsOf = (theta, x, again) => {
      const parameters = { ...unpack(specs.trained, theta), ...frozen }
      const { output, statistics } = forward(layers, parameters, x, { training: true })
      if (again) tf.dispose(statistics)
      else seen.push({ rows: x.shape[0] ?? 0, statistics })
      return { output }
    }
    const { output } = inMicroBatches(microBatches, run, flat, images)
    running.update(meanOf(seen))
    return output as Tensor
  }
  try {
    const { parameters, steps, curve } = await train({
      ...options,
      initial: initial.trained,
      specs: specs.trained,
      callback: callback ? composeCallbacks([running, callback(() => running.current)]) : running,
      loss: (flat, step) => {
        const parameters = { ...unpack(specs.trained, flat), ...frozen }
        const whole = (images: Tensor) => {
          const { output, statistics } = forward(layers, parameters, images, { training: true })
          running.update(statistics)
          return output
        }
        const logits = microBatches === 1 ? whole : (images: Tensor) => logitsInParts(flat, images)
        return loss({ parameters: flat, logits }, step)
      },
    })
    return { weights: { trained: parameters, statistics: await running.read() }, steps, curve }
  } finally {
    running.dispose()
    tf.dispose(frozen)
  }
}

/**
 * The mean of the micro-batches' statistics, weighted by their rows. Disposes of the statistics.
 */
function meanOf(seen: readonly { readonly rows: number; readonly statistics: NamedTensors }[]): NamedTensors {
  const all = seen.reduce((sum, { rows }) => sum + rows, 0)
  const names = Object.keys(seen[0]?.statistics ?? {})
  return Object.fromEntries(
    names.map((name) => {
      const own = seen.map(({ rows, statistics }) => ({
        weight: rows / all,
        tensor: statistics[name] as Tensor,
      }))
      const mean = tf.keep(tf.tidy(() => tf.addN(own.map(({ weight, tensor }) => tensor.mul(weight)))))
      tf.dispose(own.map(({ tensor }) => tensor))
      return [name, mean]
    }),
  )
}

/** The share of its running statistics that a batch norm without `momentum` keeps. */
const MOMENTUM = 0.9

/**
 * The running mean and variance of every batch norm, and the frozen weights. Each batch moves the
 * statistics by a tenth of the difference, unless the layer has another momentum.
 */
class RunningStatistics implements StepCallback {
  private readonly specs: readonly ParameterSpec[]
  private readonly lookahead: Lookahead | undefined
  private flat: Tensor1D
  /** The share that each statistic keeps, [size], if they differ. */
  private readonly shares: { readonly kept: Tensor1D; readonly new: Tensor1D } | undefined

  constructor(specs: readonly ParameterSpec[], initial: Float32Array, lookahead: Lookahead | undefined) {
    this.specs = specs
    this.lookahead = lookahead
    this.flat = tf.tensor1d(initial)
    const momenta = specs.map(({ isFrozen, momentum }) => (isFrozen === true ? 1 : (momentum ?? MOMENTUM)))
    const spread = (of: (momentum: number) => number) =>
      tf.tensor1d(
        specs.flatMap((spec, i) => new Array<number>(sizeOf(spec)).fill(of(momenta[i] ?? MOMENTUM))),
      )
    if (momenta.some((momentum) => momentum !== MOMENTUM))
      this.shares = { kept: spread((momentum) => momentum), new: spread((momentum) => 1 - momentum) }
  }

  get current(): Tensor1D {
    return this.flat
  }

  update(batch: NamedTensors): void {
    if (this.specs.length === 0) return
    const next = tf.keep(
      tf.tidy(() => {
        const tensors = this.specs.map((spec) =>
          spec.isFrozen === true ? tf.zeros<Rank.R1>([sizeOf(spec)]) : (batch[spec.name] as Tensor1D),
        )
        const { kept, new: taken } = this.shares ?? { kept: 0.9, new: 0.1 }
        return this.flat.mul(kept).add<Tensor1D>(tf.concat(tensors).mul(taken))
      }),
    )
    tf.dispose([this.flat, ...Object.values(batch)])
    this.flat = next
  }

  afterStep(step: number): Promise<boolean> {
    if (this.lookahead) this.flat = this.lookahead.after(step, this.flat)
    return Promise.resolve(false)
  }

  async take(): Promise<Omit<Snapshot, 'step'>> {
    const average = await this.lookahead?.read()
    return {
      vectors: { statistics: await this.read(), ...(average && { 'statistics average': average }) },
      notes: {},
    }
  }

  restore(snapshot: Snapshot): void {
    this.flat.dispose()
    this.flat = tf.tensor1d(vector(snapshot, 'statistics'))
    this.lookahead?.restore(vector(snapshot, 'statistics average'))
  }

  async read(): Promise<Float32Array> {
    return ((await this.flat.data()) as Float32Array).slice()
  }

  dispose(): void {
    this.flat.dispose()
    this.lookahead?.dispose()
    tf.dispose(Object.values(this.shares ?? {}))
  }
}
