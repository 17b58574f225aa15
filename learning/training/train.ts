import type { Scalar, Tensor1D } from '@tensorflow/tfjs'
import { MathError } from '../../common/errors.ts'
import type { CurvePoint } from '../../experiment/records/measured.ts'
import type { LookaheadSpec, OptimizerSpec, ScheduleSpec } from '../../experiment/spec/optimizer.ts'
import { Compiled } from '../graph/compiled.ts'
import type { ParameterSpec } from '../model/parameters.ts'
import { groupsOf } from './groups.ts'
import type { Host, Snapshot } from './host.ts'
import { Lookahead } from './lookahead.ts'
import { initialState, optimizerStep } from './optimizer.ts'
import { scheduleFactor } from './schedule.ts'
import { tf } from '../tensorflow/tf.ts'

/**
 * A run of the only training loop. It knows a flat parameter vector, a loss and an optimizer. The
 * original and gold models, all baselines and residual feature alignment differ only in the loss.
 */
export interface TrainingRun {
  /** The parameters before the first step, [size]. The loop copies them. */
  readonly initial: Float32Array
  readonly steps: number
  readonly optimizer: OptimizerSpec
  readonly schedule: ScheduleSpec
  readonly warmupSteps?: number
  /**
   * The parameters in their order, for optimizers that treat them differently. Without specs, all
   * are treated alike.
   */
  readonly specs?: readonly ParameterSpec[]
  /** Averages the parameters during the training. Not done unless given. */
  readonly lookahead?: LookaheadSpec | undefined
  /**
   * The loss of one step (counted from 0), differentiable in the parameters. It runs inside tf.tidy
   * and as a graph (learning/graph/compiled.ts), so it must not read the numbers of a tensor.
   */
  readonly loss: (parameters: Tensor1D, step: number) => Scalar
  /** How many sizes of batches the losses of the steps have; 1 unless given. */
  readonly batchSizes?: number
  /**
   * Whether a step (counted from 0) is skipped. A skipped step leaves the parameters and the
   * optimizer's state as they are and is a step of the schedule. No step is skipped unless given.
   */
  readonly skips?: ((step: number) => boolean) | undefined
  /**
   * Changes the gradient [size] of a step (counted from 0) before the optimizer uses it. Runs in
   * the same graph as the loss.
   */
  readonly changeGradient?: ((gradient: Tensor1D, step: number) => Tensor1D) | undefined
  /** [size]. A parameter whose mask is 0 keeps its value, whatever the optimizer would add. */
  readonly mask?: Float32Array | undefined
  /** State beside the parameters that steps change. */
  readonly callback?: StepCallback
  readonly host?: Host | undefined
}

/** A callback with state of its own, which is saved and restored together with the parameters. */
export interface StepCallback {
  /**
   * Awaited after every step (counted from 1) with the new parameters. Returning true ends the
   * training.
   */
  afterStep?(step: number, parameters: Tensor1D): Promise<boolean>
  take(): Promise<Omit<Snapshot, 'step'>>
  restore(snapshot: Snapshot): void
}

/**
 * Combines callbacks. They are called in order, and the training ends if any of them asks for it.
 */
export function composeCallbacks(callbacks: readonly StepCallback[]): StepCallback {
  return {
    async afterStep(step, parameters) {
      let ends = false
      for (const callback of callbacks)
        ends = ((await callback.afterStep?.(step, parameters)) ?? false) || ends
      return ends
    },
    async take() {
      const taken = await Promise.all(callbacks.map((callback) => callback.take()))
      const merged = <K extends 'vectors' | 'notes'>(part: K) =>
        Object.assign({}, ...taken.map((one) => one[part])) as Snapshot[K]
      return { vectors: merged('vectors'), notes: merged('notes') }
    },
    restore(snapshot) {
      for (const callback of callbacks) callback.restore(snapshot)
    },
  }
}

export interface TrainingResult {
  readonly parameters: Float32Array
  /** The number of steps that were taken. */
  readonly steps: number
  /**
   * At most 200 points. The first step is among them, and the last one unless the training ended
   * early.
   */
  readonly curve: readonly CurvePoint[]
}

export async function train(run: TrainingRun): Promise<TrainingResult> {
  const { steps, optimizer, schedule, warmupSteps = 0, specs = [], batchSizes = 1, callback, host } = run
  const from = host?.snapshot
  let parameters = tf.tensor1d(from ? vector(from, 'parameters') : run.initial)
  let state = initialState(optimizer, run.initial.length)
  if (from) {
    tf.dispose([...state])
    state = state.map((_, i) => tf.tensor1d(vector(from, `optimizer.${i}`)))
    callback?.restore(from)
  }
  const groups = groupsOf(optimizer.groups ?? [], specs, steps, run.mask)
  const lookahead = run.lookahead && new Lookahead(run.lookahead, steps, run.initial)
  if (from) lookahead?.restore(vector(from, 'lookahead'))
  const curve = [...((from?.notes.curve ?? []) as readonly CurvePoint[])]
  const interval = curveInterval(steps)
  // A graph would compute all micro-batches at once, which needs more memory. Every size of batches
  // needs a graph of its own.
  const graphs = new Compiled((host?.microBatches ?? 1) > 1 ? 0 : steps / batchSizes, batchSizes)

  try {
    let taken = from?.step ?? 0
    while (taken < steps) {
      const step = taken
      if (run.skips?.(step) !== true) await takeStep(step)
      taken = step + 1
      if (lookahead) parameters = lookahead.after(taken, parameters)
      // This comes before a snapshot, so a run that stopped here is never continued from one.
      if (await callback?.afterStep?.(taken, parameters)) break
      await host?.step({ step: step + 1, steps, loss: curve.at(-1)?.loss ?? NaN }, () => snapshot(step + 1))
    }
    const final = (await parameters.data()) as Float32Array
    if (!final.every(Number.isFinite)) throw diverged(steps, optimizer.learningRate, NaN, curve.at(-1))
    return { parameters: final.slice(), steps: taken, curve }
  } finally {
    tf.dispose([parameters, ...state])
    groups.dispose()
    lookahead?.dispose()
    graphs.dispose()
  }

  /** Takes one step: updates the parameters and the optimizer's state, and extends the curve. */
  async function takeStep(step: number): Promise<void> {
    const factor = scheduleFactor(schedule, step, steps, warmupSteps)
    const rate = optimizer.learningRate * factor
    const before = [parameters, ...state]
    const compute = (): [Tensor1D[], Scalar] => {
      const { value, grad } = tf.valueAndGrad((flat) => run.loss(flat as Tensor1D, step))(parameters)
      const gradient = run.changeGradient?.(grad as Tensor1D, step) ?? (grad as Tensor1D)
      const input = { parameters, gradient, state, rates: groups.rates, specs }
      const updated = optimizerStep(optimizer, input, step, factor)
      const free = groups.free(step)
      const moved = free ? tf.where(free, updated.parameters, parameters) : updated.parameters
      return [[moved, ...updated.state], value]
    }
    const [next, loss] = graphs.run(() => tf.tidy(compute))
    ;[parameters, state] = [next[0] as Tensor1D, next.slice(1)]
    tf.dispose(before.filter((tensor) => !next.includes(tensor)))

    const last = step === steps - 1
    if (step % interval === 0 || last) {
      const [value = NaN] = await loss.data()
      if (!Number.isFinite(value)) throw diverged(step + 1, rate, value, curve.at(-1))
      curve.push({ step: step + 1, loss: value, learningRate: rate })
    }
    loss.dispose()
  }

  async function snapshot(step: number): Promise<Snapshot> {
    const kept = await Promise.all([parameters, ...state].map((tensor) => tensor.data()))
    const names = ['parameters', ...state.map((_, i) => `optimizer.${i}`)]
    const own = await callback?.take()
    return {
      step,
      vectors: {
        ...own?.vectors,
        ...Object.fromEntries(names.map((name, i) => [name, kept[i] as Float32Array])),
        ...(lookahead && { lookahead: await lookahead.read() }),
      },
      notes: { ...own?.notes, curve: [...curve] },
    }
  }
}

/** A vector of a snapshot. Throws an Error if it is missing. */
export function vector({ vectors, step }: Snapshot, name: string): Float32Array {
  const found = vectors[name]
  if (!found) throw new Error(`the snapshot of step ${step} lacks "${name}"`)
  return found
}

/** The number of steps between two points of a curve. */
export const curveInterval = (steps: number) => Math.ceil(steps / 199)

function diverged(step: number, rate: number, loss: number, last: CurvePoint | undefined): MathError {
  const before = last
    ? `the last finite loss was ${last.loss} at step ${last.step}`
    : 'no loss before it was finite'
  return new MathError(
    `training diverged: the loss is ${loss} at step ${step} (learning rate ${rate}); ${before}. ` +
      'Lower the learning rate or add warm-up.',
  )
}
