import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import { outOfMemory } from '../../learning/tensorflow/out-of-memory.ts'
import type { Host } from '../../learning/training/host.ts'
import { checkpointSecondsOf, heartbeatSecondsOf } from '../../experiment/spec/durability.ts'
import type { OtherWork, TensorFlowEnvironment } from '../../experiment/records/manifest.ts'
import type { RunInput } from '../../experiment/records/run.ts'
import type { StageRef } from '../../experiment/stages/stage.ts'
import { Attempt } from './attempt.ts'
import { Checkpointer } from './checkpointer.ts'
import { ComputedElsewhereError } from './errors.ts'
import { stepped } from './events.ts'
import { LeaseKeeper, takeLease, waitMs } from './lease-keeper.ts'
import { memoryFailure } from './memory-failure.ts'

/** A stage with what its durability needs. */
type DurableStage = StageRef & { readonly title: string; readonly params: object }

export interface DurableOptions {
  readonly artifacts: Artifacts
  readonly stage: DurableStage
  readonly settings: RunInput['settings']
  /**
   * Returns a digest of the stage's inputs: a checkpoint that was computed from others is not used.
   */
  readonly inputs: () => Promise<string>
  /** Aborts when the worker shuts down. */
  readonly stopping: AbortSignal
}

/** The functions and values that the work of a durable stage may use. */
export interface Durable {
  readonly host: Host
  /** Adds to a description of the device how batches were divided. */
  readonly computedOn: (tensorflow: TensorFlowEnvironment) => TensorFlowEnvironment
  /**
   * Does some work and returns its result and wall seconds, including those of earlier attempts up
   * to the checkpoint from which this attempt continues.
   */
  readonly timed: <T>(work: () => T | Promise<T>) => Promise<{ result: T; seconds: number }>
  /** Does some work within `timed` whose time is not counted. */
  readonly untimed: <T>(work: () => Promise<T>) => Promise<T>
  /** Returns what else the machine did while that work was timed. */
  readonly otherWork: () => OtherWork
  /** Throws a LeaseLostError if another attempt has the stage now. */
  readonly confirm: () => Promise<void>
}

/**
 * Runs one attempt at a stage such that its work survives its end. The attempt computes only while
 * it holds the lease of the stage. It sends heartbeats to Temporal, saves checkpoints at intervals
 * and continues from the newest one. If it is cancelled or its worker shuts down, it saves a last
 * checkpoint and stops. If memory runs out, it makes the next attempt divide its batches further.
 *
 * Returns undefined if another attempt has finished the stage. Throws a ComputedElsewhereError if
 * another run holds the lease, and a LeaseLostError if another attempt has taken the stage over.
 */
export async function durably<T>(
  options: DurableOptions,
  work: (durable: Durable) => Promise<T>,
): Promise<T | undefined> {
  const { artifacts, stage, settings, stopping } = options
  const attempt = new Attempt(stopping)
  attempt.startHeartbeats((1000 * heartbeatSecondsOf(settings)) / 6)
  try {
    const lease = await leaseFor(attempt, options)
    try {
      // The last holder may have finished the stage after the caller looked into the store.
      const isFinished = (await artifacts.complete(stage)) !== undefined
      const result = isFinished ? undefined : await work(await durableWork(attempt, lease, options))
      await lease.stopRenewing()
      await artifacts.clear(stage)
      return result
    } catch (error) {
      await lease.stopRenewing()
      try {
        return await throwFailure(error, attempt, lease, stage)
      } finally {
        await lease.release()
      }
    }
  } finally {
    attempt.stopHeartbeats()
  }
}

/** Takes the lease of the stage. Throws a ComputedElsewhereError if another run holds it. */
async function leaseFor(
  attempt: Attempt,
  { artifacts, stage, settings }: DurableOptions,
): Promise<LeaseKeeper> {
  const heartbeatSeconds = heartbeatSecondsOf(settings)
  const { holder, scheduledAt: now, observedEarlier: observed } = attempt
  const lease = await takeLease({ artifacts, stage, holder, heartbeatSeconds, now, observed })
  if (lease instanceof LeaseKeeper) {
    // Until this heartbeat arrives, the stage is displayed as one that waits.
    if (observed) attempt.sendHeartbeat()
    return lease
  }
  attempt.sendObserved(lease)
  throw new ComputedElsewhereError(waitMs(attempt.number, heartbeatSeconds))
}

/** Starts to renew the lease, and finds the checkpoint from which the work continues. */
async function durableWork(
  attempt: Attempt,
  lease: LeaseKeeper,
  { artifacts, stage, settings, inputs }: DurableOptions,
): Promise<Durable> {
  const { microBatches } = lease
  const computedOn: Durable['computedOn'] = (tensorflow) =>
    microBatches === 1 ? tensorflow : { ...tensorflow, batchParts: microBatches }
  const confirm = () => lease.renew()
  lease.startRenewing()
  const checkpointer = await Checkpointer.open({
    artifacts,
    stage,
    checkpointSeconds: checkpointSecondsOf(settings),
    inputs: await inputs(),
    tensorflow: async () => computedOn(await loadTensorFlowEnvironment()),
    confirm,
    onSaved: (checkpoint) => {
      attempt.update({ checkpoint })
      attempt.sendHeartbeat()
    },
    onFailed: (error) => {
      attempt.warn(`a checkpoint of ${stage.kind} ${stage.key.slice(0, 12)} failed`, { error })
    },
  })
  const { resumed, timer } = checkpointer
  if (resumed) attempt.update({ step: resumed.step, resumedAt: resumed.step })
  return {
    host: hostOf(attempt, lease, checkpointer, stage),
    computedOn,
    timed: (work) => timer.timed(work),
    untimed: (work) => timer.untimed(work),
    otherWork: () => timer.otherWork(),
    confirm,
  }
}

function hostOf(attempt: Attempt, lease: LeaseKeeper, checkpointer: Checkpointer, stage: StageRef): Host {
  return {
    snapshot: checkpointer.resumed,
    microBatches: lease.microBatches,
    async step(progress, take) {
      if (progress.step !== undefined) {
        stepped.publish({ kind: stage.kind, steps: Math.max(0, progress.step - (attempt.step ?? 0)) })
        attempt.update(progress)
      }
      attempt.sendHeartbeatIfDue()
      await nextTurn()
      lease.throwIfLost()
      if (attempt.mustStop) {
        // Steps that cannot be saved are repeated by the next attempt.
        const isUnsaved = (progress.step ?? 0) > checkpointer.savedStep
        if (take && isUnsaved) await checkpointer.save(take).catch(() => undefined)
        lease.throwIfLost()
        await attempt.stop()
      }
      if (take) await checkpointer.saveWhenDue(take)
    },
  }
}

/**
 * Throws the error that ended the work. If memory ran out, this tells the next holder of the lease
 * how to divide its batches, and throws an OutOfMemoryError, or a LeaseLostError if another attempt
 * has the stage already.
 */
async function throwFailure(
  error: unknown,
  attempt: Attempt,
  lease: LeaseKeeper,
  stage: DurableStage,
): Promise<never> {
  const said = outOfMemory(error)
  if (said === undefined) throw error
  const failure = memoryFailure(stage, lease.microBatches, said)
  attempt.warn(failure.message)
  await (failure.isFinal ? lease.deleteMicroBatches() : lease.saveMicroBatches(2 * lease.microBatches))
  throw failure
}

/** Loads TensorFlow, which takes a second, and returns what results depend on. */
async function loadTensorFlowEnvironment(): Promise<TensorFlowEnvironment> {
  const { tensorflowEnvironment } = await import('../../learning/tensorflow/tf.ts')
  return tensorflowEnvironment()
}
