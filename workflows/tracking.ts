import {
  CancellationScope,
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  patched,
  proxyActivities,
  setHandler,
  startChild,
  type ExternalWorkflowHandle,
} from '@temporalio/workflow'
import type { Activities, TrackSweepTask, TrackTask } from '../activities/index.ts'
import type { SweepTask } from '../activities/sweep.ts'
import type { RunEnd } from '../experiment/records/run.ts'
import type { SweepCounts, SweepEnd } from '../experiment/sweep/sweep.ts'
import { activityFailureMessage, type ResolvedRun } from './stages.ts'
import { trackingId, trackingSignals, trackingType, type Queue } from './names.ts'

const changedSignal = defineSignal(trackingSignals.changed)
const begunSignal = defineSignal(trackingSignals.begun)
const endedSignal = defineSignal<[SweepEnd]>(trackingSignals.ended)

/** Sends a run to MLflow. This is retried without limit while the MLflow server does not answer. */
const { track } = proxyActivities<Activities>({
  taskQueue: 'zeroshift' satisfies Queue,
  startToCloseTimeout: '10m',
  heartbeatTimeout: '1m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
})

/**
 * Sends a sweep to MLflow, including the cells that it found in the store, which may be thousands.
 */
const { trackSweep } = proxyActivities<Activities>({
  taskQueue: 'zeroshift' satisfies Queue,
  startToCloseTimeout: '1d',
  heartbeatTimeout: '1m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
})

export type Tracking = Omit<TrackTask, 'ended'>
export type SweepTracking = Omit<TrackSweepTask, 'ended'>

/**
 * The pause after a delivery, as a multiple of the time that the delivery took: each delivery reads
 * all stages of the run. The maximum is for deliveries that took long because MLflow did not
 * answer.
 */
const RESTS = 9
const LONGEST_REST_MS = 60_000

/**
 * Keeps MLflow up to date with a run or a sweep, as a workflow of its own, so that the run never
 * waits for MLflow. Results wait in the store until the MLflow server has accepted them. If a run
 * is terminated, its run in MLflow ends as KILLED.
 */
export async function tracking(task: Tracking | SweepTracking): Promise<void> {
  let changed = true
  let ended: SweepEnd | undefined
  setHandler(changedSignal, () => {
    changed = true
  })
  setHandler(begunSignal, () => {
    changed = true
    ended = undefined
  })
  setHandler(endedSignal, (end) => {
    changed = true
    ended = end
  })
  // Temporal requests this cancellation when the workflow of the run closes for any reason.
  CancellationScope.current().cancelRequested.catch(() => {
    if (ended) return
    changed = true
    ended = { status: 'KILLED', at: Date.now() }
  })
  let rested = 0
  await CancellationScope.nonCancellable(async () => {
    for (;;) {
      await condition(() => changed)
      const rest = rested - Date.now()
      if (!ended && rest > 0 && patched('tracking-rests')) await condition(() => ended !== undefined, rest)
      changed = false
      const began = Date.now()
      const end = ended
      const ending = end && { ended: end }
      if ('run' in task) await track({ ...task, ...ending })
      else await trackSweep({ ...task, ...ending })
      if (end && !changed) return
      rested = Date.now() + Math.min(RESTS * (Date.now() - began), LONGEST_REST_MS)
    }
  })
}

/** Lets the workflow of a run signal the workflow that tracks it. */
export interface Tracker {
  changed(): void
  ended(status: RunEnd['status']): Promise<void>
}

/**
 * Starts to track a run, or continues with the tracking workflow of an earlier execution that still
 * has metrics to deliver. Returns undefined if the run is not tracked, and in runs that were
 * started by version 0.1, which are tracked at their end.
 */
export async function startTracking(input: ResolvedRun): Promise<Tracker | undefined> {
  const { run, settings, named, sweep } = input
  if (!settings.tracking || !patched('tracking-beside-the-run')) return undefined
  const handle = await startOrJoin(run.id, ParentClosePolicy.REQUEST_CANCEL, {
    run: named,
    settings,
    tracking: settings.tracking,
    ...(sweep !== undefined && { sweep }),
  })
  return {
    changed() {
      handle.signal(changedSignal).catch(() => undefined)
    },
    ended: (status) => signalEnd(handle, { status, at: Date.now() }),
  }
}

/** Lets the workflow of a sweep signal the workflow that tracks it. */
export interface SweepTracker {
  ended(status: SweepEnd['status'], counts: SweepCounts): Promise<void>
}

/**
 * Starts to track a sweep, or continues with the tracking workflow of an earlier execution. This
 * workflow outlives each execution of the sweep, because the sweep may continue in the next one.
 * Therefore MLflow shows a sweep that was terminated as running until it is resumed.
 */
export async function startSweepTracking(task: SweepTask): Promise<SweepTracker | undefined> {
  // A sweep that is cancelled signals its end after its runs have ended. A failure to start the
  // tracking does not fail the sweep.
  const handle = await CancellationScope.nonCancellable(() =>
    startOrJoin(task.id, ParentClosePolicy.ABANDON, task),
  ).catch(() => undefined)
  return handle && { ended: (status, counts) => signalEnd(handle, { status, at: Date.now(), counts }) }
}

type Handle = Pick<ExternalWorkflowHandle, 'signal'>

/**
 * Starts the workflow that tracks a run or a sweep. If it is running already, signals a new begin.
 */
async function startOrJoin(
  id: string,
  parentClosePolicy: ParentClosePolicy,
  task: Tracking | SweepTracking,
): Promise<Handle> {
  const workflowId = trackingId(id)
  return startChild(trackingType, { workflowId, args: [task], parentClosePolicy }).catch(async () => {
    const earlier = getExternalWorkflowHandle(workflowId)
    await earlier.signal(begunSignal)
    return earlier
  })
}

/** Signals the end of a run or a sweep, even while it is being cancelled. A failure is ignored. */
async function signalEnd(handle: Handle, end: SweepEnd): Promise<void> {
  await CancellationScope.nonCancellable(() => handle.signal(endedSignal, end)).catch(() => undefined)
}

/**
 * Tracks a run that was started by version 0.1 at its end, and returns a note if this failed. Does
 * nothing for other runs.
 */
export async function trackAtEnd({ named, settings }: ResolvedRun): Promise<readonly string[]> {
  if (!settings.tracking || patched('tracking-beside-the-run')) return []
  try {
    const ended: RunEnd = { status: 'FINISHED', at: Date.now() }
    await track({ run: named, settings, tracking: settings.tracking, ended })
    return []
  } catch (error) {
    if (isCancellation(error)) throw error
    return [`tracking at ${settings.tracking.uri} failed: ${activityFailureMessage(error)}`]
  }
}
