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
} from '@temporalio/workflow'
import type { Activities, TrackTask } from '../activities/index.ts'
import type { RunEnd, RunInput } from '../experiment/run.ts'
import { namedBy, reasonOf, type Asked } from './stages.ts'
import { trackingId, trackingSignals, trackingType, type Queue } from './names.ts'

const changedSignal = defineSignal(trackingSignals.changed)
const begunSignal = defineSignal(trackingSignals.begun)
const endedSignal = defineSignal<[RunEnd]>(trackingSignals.ended)

/** An MLflow that is away is asked again for as long as it takes. */
const { track } = proxyActivities<Activities>({
  taskQueue: 'zeroshift' satisfies Queue,
  startToCloseTimeout: '10m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
})

export type Tracking = Omit<TrackTask, 'ended'>

/**
 * Keeps MLflow up to date with a run, beside it: what it says waits in the store until the server takes it, and the run
 * waits for nothing. When the run closes without a word (it was terminated), it is KILLED.
 */
export async function tracking(task: Tracking): Promise<void> {
  let changed = true
  let ended: RunEnd | undefined
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
  await CancellationScope.nonCancellable(async () => {
    for (;;) {
      await condition(() => changed)
      changed = false
      const end = ended
      await track({ ...task, ...(end && { ended: end }) })
      if (end && !changed) return
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
  const { run, settings } = input
  if (!settings.tracking || !patched('tracking-beside-the-run')) return undefined
  const workflowId = trackingId(run.id)
  const task: Tracking = { run: namedBy(input), settings, tracking: settings.tracking }
  const handle = await startChild(trackingType, {
    workflowId,
    args: [task],
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
  }).catch(async () => {
    const earlier = getExternalWorkflowHandle(workflowId)
    await earlier.signal(begunSignal)
    return earlier
  })
  return {
    changed() {
      handle.signal(changedSignal).catch(() => undefined)
    },
    // Also in a run that is being cancelled.
    ended: (status) =>
      CancellationScope.nonCancellable(() => handle.signal(endedSignal, { status, at: Date.now() })).catch(
        () => undefined,
      ),
  }
}

/** What became of it, in runs that began under 0.1; nothing in others. Tracking never fails a run. */
export async function trackAtEnd({ run, settings }: RunInput): Promise<readonly string[]> {
  if (!settings.tracking || patched('tracking-beside-the-run')) return []
  try {
    const ended: RunEnd = { status: 'FINISHED', at: Date.now() }
    await track({ run, settings, tracking: settings.tracking, ended })
    return []
  } catch (error) {
    if (isCancellation(error)) throw error
    return [`tracking at ${settings.tracking.uri} failed: ${reasonOf(error)}`]
  }
}
