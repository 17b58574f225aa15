import { setImmediate as nextTurn } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import { Checkpoints } from '../../artifacts/progress/checkpoints.ts'
import { Lease, LeaseLostError, type Holder } from '../../artifacts/progress/lease.ts'
import { canonicalJson } from '../../common/canonical.ts'
import { checkpointSecondsOf, heartbeatSecondsOf } from '../../experiment/spec/durability.ts'
import type { OtherWork, TensorFlowEnvironment } from '../../experiment/records/manifest.ts'
import type { RunInput, StepProgress } from '../../experiment/records/run.ts'
import type { StageKind, StageRef } from '../../experiment/stages/stage.ts'
import type { Host, Snapshot } from '../../learning/host.ts'
import { outOfMemory } from '../../learning/out-of-memory.ts'
import { checkpointed, stepped } from './events.ts'
import { OtherWorkMeter } from './other-work.ts'

/** The worker stops: what was done is kept, and another worker goes on. */
export class HandedOverError extends Error {
  override readonly name = 'HandedOverError'
}

/** Another run's attempt has the stage: this one makes room for other work, and looks again after a while. */
export class ComputedElsewhereError extends Error {
  override readonly name = 'ComputedElsewhereError'
  readonly afterMs: number

  constructor(afterMs: number) {
    super('another run computes this stage')
    this.afterMs = afterMs
  }
}

/** Memory was not enough: the next attempt cuts its batches into more parts, where there is anything left to cut. */
export class OutOfMemoryError extends Error {
  override readonly name = 'OutOfMemoryError'
  readonly isFinal: boolean

  constructor(message: string, isFinal: boolean) {
    super(message)
    this.isFinal = isFinal
  }
}

/**
 * The lease state that this attempt observed. Passed to the next attempt in the heartbeat details,
 * which the SDK sends along with the attempt's failure. They are lost where the server gave the
 * attempt up before it failed. That only costs time: the server then passes on the details of an
 * earlier attempt, or the next attempt looks as if it were the first one.
 */
interface ObservedLease {
  readonly sight: string
  /**
   * When the first attempt that found the sight unchanged was due, in milliseconds of the Temporal server's clock, which
   * is the only one that attempts on several machines share. Absent in the attempt that saw it first.
   */
  readonly since?: number
}

/**
 * What heartbeats carry: progress to show, and the look of an attempt that waits. Whatever an
 * attempt that computes must tell the next one is in the store (Lease.leaveParts, Checkpoints). The
 * server takes no heartbeat from an attempt that has blocked for longer than its heartbeat timeout,
 * and the SDK does not tell an activity why the attempt before it failed.
 */
export type HeartbeatDetails = StepProgress & {
  /** The server shows the last attempt's details until this one's arrive: they say whose they are. */
  readonly attempt: number
  readonly checkpoint?: string
  /** Of an attempt that computes nothing. */
  readonly look?: ObservedLease
}

/** Core sends at most one heartbeat a second (see worker/worker.ts); offering more only costs. */
const BEAT_EVERY_MS = 250
/** A checkpoint that took a second is followed by 60 seconds of work at least: its cost stays under 2%. */
const WORK_PER_CHECKPOINT = 60
/** Whoever waits for another run looks often at first, and at most about a tenth of its time too late. */
const FIRST_LOOK_MS = 250
const LOOKS_GROW_BY = 1.1

/** A stage, as far as its durability is concerned. */
type LongStage = StageRef & { readonly title: string; readonly params: object }

export interface DurableOptions {
  readonly artifacts: Artifacts
  readonly stage: LongStage
  readonly settings: RunInput['settings']
  /** A digest of the stage's inputs: a checkpoint that was computed from others is of no use. */
  readonly inputs: () => Promise<string>
  /** Aborts when the worker is to stop. */
  readonly stopping: AbortSignal
}

/** What a body is given of a durable stage. */
export interface Durable {
  readonly host: Host
  /** What a manifest says of the device, of one who computes on it. */
  readonly computedOn: (tensorflow: TensorFlowEnvironment) => TensorFlowEnvironment
  /** The result of some work and its wall seconds, those of earlier attempts up to the checkpoint included. */
  readonly timed: <T>(work: () => T | Promise<T>) => Promise<{ result: T; seconds: number }>
  /** What else the machine did while that work was timed. */
  readonly otherWork: () => OtherWork
  /** Throws a LeaseLostError where another attempt has the stage now. */
  readonly confirm: () => Promise<void>
}

/**
 * Runs one attempt at a stage so that nothing is lost with it: it computes only while it holds the stage's lease, shows
 * life to Temporal and to the store, keeps checkpoints by time, goes on from the newest one, and on a cancellation or
 * the worker's shutdown keeps a last one before it stops. undefined: another attempt finished the stage. Throws a
 * ComputedElsewhereError where another run's attempt holds the lease.
 */
export async function durably<T>(
  { artifacts, stage, settings, inputs, stopping }: DurableOptions,
  work: (durable: Durable) => Promise<T>,
): Promise<T | undefined> {
  const context = Context.current()
  const { workflowExecution, activityId, attempt } = context.info
  const earlier = context.info.heartbeatDetails as HeartbeatDetails | undefined
  const holder = { activity: `${workflowExecution?.runId}/${activityId}`, attempt }
  const checkpoints = new Checkpoints(artifacts, stage)
  let parts = 1
  const computedOn: Durable['computedOn'] = (tensorflow) =>
    parts === 1 ? tensorflow : { ...tensorflow, batchParts: parts }
  let latest: Omit<HeartbeatDetails, 'attempt'> = {}
  let lastBeat = -Infinity
  const beat = () => {
    lastBeat = performance.now()
    context.heartbeat({ ...latest, attempt } satisfies HeartbeatDetails)
  }

  /** A stop that was asked for, by whomever. */
  let lost: LeaseLostError | undefined
  const whileHeld = async (change: () => Promise<void>) => {
    try {
      await change()
    } catch (error) {
      if (error instanceof LeaseLostError) lost = error
      throw error
    }
  }
  const isStopping = () => lost !== undefined || stopping.aborted || context.cancellationSignal.aborted
  const stop = async (): Promise<never> => {
    if (lost) throw lost
    if (stopping.aborted) throw new HandedOverError('the worker stops; another one goes on with this stage')
    await context.cancelled
    throw new Error('unreachable: a cancelled activity rejects')
  }

  const beating = setInterval(beat, (1000 * heartbeatSecondsOf(settings)) / 6)
  let lease: Lease | undefined
  let renewing: NodeJS.Timeout | undefined
  let renewal: Promise<void> = Promise.resolve()
  /** A renewal that is under way would write the lease again. */
  const stopRenewing = async () => {
    clearInterval(renewing)
    await renewal
  }
  try {
    lease = await turn(artifacts, stage, holder, heartbeatSecondsOf(settings), earlier)
    // It does not wait any more.
    if (earlier?.look) beat()
    // The one who held it may have finished between the look into the store and the lease.
    if (await artifacts.complete(stage)) {
      await artifacts.clear(stage)
      return undefined
    }
    const held = lease
    parts = held.microBatches
    const confirm = () => whileHeld(() => held.renew())
    renewing = setInterval(
      () => {
        // A store that is away for a while loses nothing: whoever took over is seen when it is back.
        renewal = confirm().catch(() => undefined)
      },
      (1000 * heartbeatSecondsOf(settings)) / 3,
    )

    // The bytes of a stage are those of one device: a checkpoint of another one, or of other parts, is of no use.
    const from = await inputs()
    const resumed = await checkpoints.newest(
      async ({ tensorflow, inputs = from }) =>
        inputs === from &&
        (!tensorflow || canonicalJson(tensorflow) === canonicalJson(computedOn(await tensorflowHere()))),
    )
    if (resumed) latest = { step: resumed.step, resumedAt: resumed.step }
    let saved = resumed?.step ?? 0
    let began = performance.now()
    const meter = new OtherWorkMeter(resumed?.otherWork)
    const secondsSoFar = () => (resumed?.seconds ?? 0) + (performance.now() - began) / 1000

    /** How many milliseconds it took. */
    const save = async (take: () => Promise<Snapshot>): Promise<number> => {
      const start = performance.now()
      const snapshot = await take()
      await confirm()
      const tensorflow = onDevice.has(stage.kind) ? computedOn(await tensorflowHere()) : undefined
      const path = await checkpoints.save({
        ...snapshot,
        seconds: secondsSoFar(),
        otherWork: meter.now(),
        inputs: from,
        ...(tensorflow && { tensorflow }),
      })
      saved = snapshot.step
      latest = { ...latest, checkpoint: path }
      beat()
      const took = performance.now() - start
      checkpointed.publish({ kind: stage.kind, seconds: took / 1000 })
      return took
    }
    let due = performance.now() + 1000 * checkpointSecondsOf(settings)
    const saveWhenDue = async (take: () => Promise<Snapshot>) => {
      if (performance.now() < due) return
      let took = 0
      try {
        took = await save(take)
      } catch (error) {
        if (error instanceof LeaseLostError) throw error
        // The work itself is not lost: the next checkpoint may succeed, and the stage may finish without.
        context.log.warn(`a checkpoint of ${stage.kind} ${stage.key.slice(0, 12)} failed`, { error })
      }
      due = performance.now() + Math.max(1000 * checkpointSecondsOf(settings), WORK_PER_CHECKPOINT * took)
    }

    const host: Host = {
      snapshot: resumed,
      parts,
      async step(progress, take) {
        if (progress.step !== undefined) {
          stepped.publish({ kind: stage.kind, steps: Math.max(0, progress.step - (latest.step ?? 0)) })
          latest = { ...latest, ...progress }
        }
        if (performance.now() - lastBeat >= BEAT_EVERY_MS) beat()
        await nextTurn()
        if (isStopping()) {
          // What cannot be kept is repeated.
          if (!lost && take && (progress.step ?? 0) > saved) await save(take).catch(() => undefined)
          await stop()
        }
        if (take) await saveWhenDue(take)
      },
    }
    const timed: Durable['timed'] = async (work) => {
      began = performance.now()
      meter.start()
      try {
        const result = await work()
        return { result, seconds: secondsSoFar() }
      } finally {
        meter.stop()
      }
    }
    const otherWork = () => meter.now()
    const result = await work({ host, computedOn, timed, otherWork, confirm })
    await stopRenewing()
    await artifacts.clear(stage)
    return result
  } catch (error) {
    await stopRenewing()
    try {
      const said = outOfMemory(error)
      if (!lease || said === undefined) throw error
      const failure = memoryFailure(stage, parts, said)
      context.log.warn(failure.message)
      const held = lease
      await whileHeld(() => (failure.isFinal ? held.deleteMicroBatches() : held.saveMicroBatches(2 * parts)))
      throw failure
    } finally {
      if (!lost) await lease?.release().catch(() => undefined)
    }
  } finally {
    clearInterval(beating)
  }
}

/**
 * The stage's lease. Where a holder that is not known to be dead has it, this leaves what it saw to the next attempt and
 * throws: that one may run on any worker, and takes the stage over once the holder has shown no life for two heartbeats.
 */
async function turn(
  artifacts: Artifacts,
  stage: StageRef,
  holder: Holder,
  heartbeatSeconds: number,
  earlier: HeartbeatDetails | undefined,
): Promise<Lease> {
  const context = Context.current()
  const { attempt, currentAttemptScheduledTimestampMs: now } = context.info
  const { look: seen } = earlier ?? {}
  const isDead = (sight: string) =>
    sight === seen?.sight && seen.since !== undefined && now - seen.since > 2000 * heartbeatSeconds
  const answer = await Lease.take(artifacts, stage, holder, isDead)
  if (answer instanceof Lease) return answer
  const { observed: sight } = answer
  const look = { sight, ...(sight === seen?.sight && { since: seen.since ?? now }) }
  context.heartbeat({ attempt, look } satisfies HeartbeatDetails)
  // Holders show life three times a heartbeat: there is no more to see in between.
  throw new ComputedElsewhereError(
    Math.min(FIRST_LOOK_MS * LOOKS_GROW_BY ** (attempt - 1), (1000 * heartbeatSeconds) / 3),
  )
}

/** The kinds of stage that compute on TensorFlow. */
export const onDevice: ReadonlySet<StageKind> = new Set([
  'train',
  'unlearn',
  'evaluate',
  'shadow',
  'relearn',
  'probe',
])

/** Loads TensorFlow, which takes a second. */
async function tensorflowHere(): Promise<TensorFlowEnvironment> {
  const { tensorflowEnvironment } = await import('../../learning/tf.ts')
  return tensorflowEnvironment()
}

/** Passes over samples whose size no spec names. */
const OWN_BATCH = 256

function memoryFailure({ title, params }: LongStage, parts: number, said: string): OutOfMemoryError {
  const batch = largestBatch(params) || OWN_BATCH
  const size = Math.ceil(batch / parts)
  return size > 1
    ? new OutOfMemoryError(
        `'${title}': ${said}. It is tried again, ${Math.ceil(size / 2)} samples at a time.`,
        false,
      )
    : new OutOfMemoryError(
        `'${title}' does not fit into memory, even with one sample of a batch at a time: ${said}. A smaller model or smaller ` +
          'images would fit, or a worker whose device has more memory.',
        true,
      )
}

/** The largest of the batches that parameters name, at any depth; 0 where they name none. */
function largestBatch(params: unknown): number {
  if (typeof params !== 'object' || params === null) return 0
  const sizes = Object.entries(params).map(([name, value]) =>
    typeof value === 'number' && /batch(Size)?$/i.test(name) ? value : largestBatch(value),
  )
  return Math.max(0, ...sizes)
}
