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
import { stageFailureReason, type Asked } from './stages.ts'
import { trackingId, trackingSignals, trackingType, type Queue } from './names.ts'

const changedSignal = defineSignal(trackingSignals.changed)
const begunSignal = defineSignal(trackingSignals.begun)
const endedSignal = defineSignal<[SweepEnd]>(trackingSignals.ended)

/** An MLflow that is away is asked again for as long as it takes. */
const { track } = proxyActivities<Activities>({
  taskQueue: 'zeroshift' satisfies Queue,
  startToCloseTimeout: '10m',
  heartbeatTimeout: '1m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
})

/** The same, with the cells that a sweep found in the store: thousands, perhaps. */
const { trackSweep } = proxyActivities<Activities>({
  taskQueue: 'zeroshift' satisfies Queue,
  startToCloseTimeout: '1d',
  heartbeatTimeout: '1m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
})

export type Tracking = Omit<TrackTask, 'ended'>
export type SweepTracking = Omit<TrackSweepTask, 'ended'>

/**
 * A delivery looks at every stage of the run: between two there are so many times as long as the last one took, unless an
 * MLflow that was away made it long.
 */
const RESTS = 9
const LONGEST_REST_MS = 60_000

/**
 * Keeps MLflow up to date with a run or a sweep, beside it: what it says waits in the store until the server takes it, and
 * the run waits for nothing. When the run closes without a word (it was terminated), it is KILLED.
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
  // A parent that closes, however, asks its child to cancel.
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
      const told = end && { ended: end }
      if ('run' in task) await track({ ...task, ...told })
      else await trackSweep({ ...task, ...told })
      if (end && !changed) return
      rested = Date.now() + Math.min(RESTS * (Date.now() - began), LONGEST_REST_MS)
    }
  })
}

/** A run's side of it. */
export interface Tracker {
  changed(): void
  ended(status: RunEnd['status']): Promise<void>
}

/**
 * Starts the tracking of a run, or joins the one of an earlier execution whose metrics still wait. undefined: in runs
 * that began under 0.1, which are tracked at their end.
 */
export async function startTracking(input: Asked): Promise<Tracker | undefined> {
  const { run, settings, named, sweep } = input
  if (!settings.tracking || !patched('tracking-beside-the-run')) return undefined
  const handle = await begin(run.id, ParentClosePolicy.REQUEST_CANCEL, {
    run: named,
    settings,
    tracking: settings.tracking,
    ...(sweep !== undefined && { sweep }),
  })
  return {
    changed() {
      handle.signal(changedSignal).catch(() => undefined)
    },
    ended: (status) => tellEnd(handle, { status, at: Date.now() }),
  }
}

/** A sweep's side of it. */
export interface SweepTracker {
  ended(status: SweepEnd['status'], counts: SweepCounts): Promise<void>
}

/**
 * Starts the tracking of a sweep, or joins the one of an earlier execution: it is left alone when an execution closes, since
 * the sweep may go on in the next one. So nobody hears of a sweep that was terminated until it is resumed.
 */
export async function startSweepTracking(task: SweepTask): Promise<SweepTracker | undefined> {
  // Of a sweep that is cancelled it hears when all that is its own has ended. Tracking never fails a sweep.
  const handle = await CancellationScope.nonCancellable(() =>
    begin(task.id, ParentClosePolicy.ABANDON, task),
  ).catch(() => undefined)
  return handle && { ended: (status, counts) => tellEnd(handle, { status, at: Date.now(), counts }) }
}

type Handle = Pick<ExternalWorkflowHandle, 'signal'>

async function begin(
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

/** Also in a run that is being cancelled. */
async function tellEnd(handle: Handle, end: SweepEnd): Promise<void> {
  await CancellationScope.nonCancellable(() => handle.signal(endedSignal, end)).catch(() => undefined)
}

/** What became of it, in runs that began under 0.1; nothing in others. Tracking never fails a run. */
export async function trackAtEnd({ named, settings }: Asked): Promise<readonly string[]> {
  if (!settings.tracking || patched('tracking-beside-the-run')) return []
  try {
    const ended: RunEnd = { status: 'FINISHED', at: Date.now() }
    await track({ run: named, settings, tracking: settings.tracking, ended })
    return []
  } catch (error) {
    if (isCancellation(error)) throw error
    return [`tracking at ${settings.tracking.uri} failed: ${stageFailureReason(error)}`]
  }
}
