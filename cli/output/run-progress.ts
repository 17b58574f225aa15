import type { WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client'
import type { LoadedDataConverter } from '@temporalio/common'
import {
  decodeFromPayloadsAtIndex,
  decodeOptionalFailureToOptionalError,
} from '@temporalio/common/lib/internal-non-workflow/index.js'
import { optionalTsToMs } from '@temporalio/common/lib/time.js'
import type { HeartbeatDetails } from '../../activities/runtime/heartbeat-details.ts'
import type { RunProgress, StageProgress, StepProgress } from '../../experiment/records/run.ts'
import { progressQuery } from '../../workflows/names.ts'
import { retriesOf } from './retries.ts'
import type { Retry } from './retry-lines.ts'

/** What the server knows of a stage that is not done: the workflow only knows that it asked for it. */
export interface PendingStage {
  readonly key: string
  /** False while it waits for a worker to take it. */
  readonly started: boolean
  /** It waits for another run, which computes it. */
  readonly elsewhere?: boolean
  readonly startedAt?: number
  readonly steppedAt?: number
  readonly progress: StepProgress
  /** Why the last attempt failed, where there was one. */
  readonly error?: string
}

/** A run, and what of it is tried again. */
export interface RunView extends RunProgress {
  readonly retries: readonly Retry[]
}

/** The state of a run: the workflow's own account, with the newest heartbeats in it. */
export async function progressOf(handle: WorkflowHandle): Promise<RunView> {
  const [progress, description] = await Promise.all([
    handle.query<RunProgress>(progressQuery),
    handle.describe(),
  ])
  const [pending, retries] = await Promise.all([
    pendingStages(description, handle.client.options.loadedDataConverter),
    retriesOf(handle.client, description),
  ])
  return { ...merge(progress, pending), retries: titled(retries, progress) }
}

function titled(retries: readonly Retry[], { stages }: RunProgress): readonly Retry[] {
  const titles = new Map(stages.map(({ key, title }) => [key, title]))
  return retries.map((retry) => ({ ...retry, stage: titles.get(retry.key) ?? retry.stage }))
}

export function merge(progress: RunProgress, pending: readonly PendingStage[]): RunProgress {
  const byKey = new Map(pending.map((stage) => [stage.key, stage]))
  return {
    ...progress,
    stages: progress.stages.map((stage): StageProgress => {
      const live = byKey.get(stage.key)
      if (!live || stage.state !== 'running') return stage
      const { started, elsewhere, startedAt, steppedAt, error } = live
      if (elsewhere) return { ...stage, state: 'waiting', elsewhere }
      return {
        ...stage,
        ...(started ? live.progress : { state: 'waiting' }),
        ...(started && startedAt !== undefined && { startedAt }),
        ...(started && steppedAt !== undefined && { steppedAt }),
        ...(error !== undefined && { error }),
      }
    }),
  }
}

/** PENDING_ACTIVITY_STATE_STARTED and _CANCEL_REQUESTED of Temporal's API. */
const withWorker: readonly number[] = [2, 3]

function pendingStages(
  { raw }: WorkflowExecutionDescription,
  converter: LoadedDataConverter,
): Promise<PendingStage[]> {
  return Promise.all(
    (raw.pendingActivities ?? []).map(async (activity): Promise<PendingStage> => {
      const startedAt = optionalTsToMs(activity.lastStartedTime)
      const steppedAt = optionalTsToMs(activity.lastHeartbeatTime)
      const { payloads } = activity.heartbeatDetails ?? {}
      const beat =
        payloads?.[0] && (await decodeFromPayloadsAtIndex<HeartbeatDetails>(converter, 0, payloads))
      const waited = activity.lastFailure?.applicationFailureInfo?.type === 'ComputedElsewhereError'
      // An attempt that looks whether it still has to wait says of no step that it takes.
      const computes = beat?.attempt === activity.attempt && !beat?.look
      const failure = waited ? undefined : activity.lastFailure
      const error = await decodeOptionalFailureToOptionalError(converter, failure)
      return {
        key: activity.activityId ?? '',
        started: withWorker.includes(activity.state ?? 0),
        progress: beat ?? {},
        ...(waited && !computes && { elsewhere: true }),
        ...(startedAt !== undefined && { startedAt }),
        ...(steppedAt !== undefined && { steppedAt }),
        ...(error && error.message !== '' && { error: error.message }),
      }
    }),
  )
}
