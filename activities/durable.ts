import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import type { Artifacts } from '../artifacts/artifacts.ts'
import { Checkpoints, type Checkpoint } from '../artifacts/checkpoints.ts'
import { Lease, LeaseLostError } from '../artifacts/lease.ts'
import { canonicalJson } from '../experiment/canonical.ts'
import { checkpointSecondsOf, heartbeatSecondsOf } from '../experiment/durability.ts'
import type { Environment } from '../experiment/manifest.ts'
import type { RunInput, StepProgress } from '../experiment/run.ts'
import type { StageKind, StageRef } from '../experiment/stages.ts'
import type { Host, Snapshot } from '../learning/host.ts'

/** The worker stops: what was done is kept, and another worker goes on. */
export class HandedOverError extends Error {
  override readonly name = 'HandedOverError'
}

/** Core sends at most one heartbeat a second (see worker/worker.ts); offering more only costs. */
const BEAT_EVERY_MS = 250
/** A checkpoint that took a second is followed by 60 seconds of work at least: its cost stays under 2%. */
const WORK_PER_CHECKPOINT = 60

export interface DurableOptions {
  readonly artifacts: Artifacts
  readonly stage: StageRef
  readonly settings: RunInput['settings']
  /** Aborts when the worker is to stop. */
  readonly stopping: AbortSignal
}

/** What a body is given of a durable stage. */
export interface Durable {
  readonly host: Host
  /** The result of some work and its wall seconds, those of earlier attempts up to the checkpoint included. */
  readonly timed: <T>(work: () => T | Promise<T>) => Promise<{ result: T; seconds: number }>
  /** Throws a LeaseLostError where another attempt has the stage now. */
  readonly confirm: () => Promise<void>
}

/**
 * Runs one attempt at a stage so that nothing is lost with it: it computes only while it holds the stage's lease, shows
 * life to Temporal and to the store, keeps checkpoints by time, goes on from the newest one, and on a cancellation or
 * the worker's shutdown keeps a last one before it stops. undefined: another attempt finished the stage.
 */
export async function durably<T>(
  { artifacts, stage, settings, stopping }: DurableOptions,
  work: (durable: Durable) => Promise<T>,
): Promise<T | undefined> {
  const context = Context.current()
  const { workflowExecution, activityId, attempt } = context.info
  const checkpoints = new Checkpoints(artifacts, stage)
  let latest: StepProgress & { readonly checkpoint?: string } = {}
  let lastBeat = -Infinity
  const beat = () => {
    lastBeat = performance.now()
    // The server shows the last attempt's details until this one's arrive: they say whose they are.
    context.heartbeat({ ...latest, attempt })
  }

  /** A stop that was asked for, by whomever. */
  let lost: LeaseLostError | undefined
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
    lease = await Lease.take(
      artifacts,
      stage,
      { activity: `${workflowExecution?.runId}/${activityId}`, attempt },
      {
        staleSeconds: 2 * heartbeatSecondsOf(settings),
        pause: async () => {
          await sleep(500)
          if (isStopping()) await stop()
        },
      },
    )
    if (!lease) return undefined
    // The one who held it may have finished between the look into the store and the lease.
    if (await artifacts.complete(stage)) {
      await artifacts.clear(stage)
      return undefined
    }
    const held = lease
    const confirm = async () => {
      try {
        await held.renew()
      } catch (error) {
        if (error instanceof LeaseLostError) lost = error
        throw error
      }
    }
    renewing = setInterval(
      () => {
        // A store that is away for a while loses nothing: whoever took over is seen when it is back.
        renewal = confirm().catch(() => undefined)
      },
      (1000 * heartbeatSecondsOf(settings)) / 3,
    )

    const resumed = await checkpoints.newest(isOfThisDevice)
    if (resumed) latest = { step: resumed.step, resumedAt: resumed.step }
    let saved = resumed?.step ?? 0
    let began = performance.now()
    const secondsSoFar = () => (resumed?.seconds ?? 0) + (performance.now() - began) / 1000

    /** How many milliseconds it took. */
    const save = async (take: () => Promise<Snapshot>): Promise<number> => {
      const start = performance.now()
      const snapshot = await take()
      await confirm()
      const tensorflow = onDevice.has(stage.kind) ? await tensorflowHere() : undefined
      const path = await checkpoints.save({
        ...snapshot,
        seconds: secondsSoFar(),
        ...(tensorflow && { tensorflow }),
      })
      saved = snapshot.step
      latest = { ...latest, checkpoint: path }
      beat()
      return performance.now() - start
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
      async step(progress, take) {
        if (progress.step !== undefined) latest = { ...latest, ...progress }
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
      const result = await work()
      return { result, seconds: secondsSoFar() }
    }
    const result = await work({ host, timed, confirm })
    await stopRenewing()
    await artifacts.clear(stage)
    return result
  } catch (error) {
    await stopRenewing()
    if (!lost) await lease?.release().catch(() => undefined)
    throw error
  } finally {
    clearInterval(beating)
  }
}

/** The kinds of stage that compute on TensorFlow. */
const onDevice: ReadonlySet<StageKind> = new Set([
  'train',
  'unlearn',
  'evaluate',
  'shadow',
  'relearn',
  'probe',
])

/** Loads TensorFlow, which takes a second. */
async function tensorflowHere(): Promise<NonNullable<Environment['tensorflow']>> {
  const { tensorflowEnvironment } = await import('../learning/tf.ts')
  return tensorflowEnvironment()
}

/** The bytes of a stage are those of one device: a checkpoint of another one is of no use. */
async function isOfThisDevice({ tensorflow }: Checkpoint): Promise<boolean> {
  return !tensorflow || canonicalJson(tensorflow) === canonicalJson(await tensorflowHere())
}
