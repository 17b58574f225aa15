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

/**
 * A stage that is not done, as the server describes it. The workflow knows only that it requested
 * the stage.
 */
export interface PendingStage {
  readonly key: string
  /** False while the stage waits for a worker. */
  readonly started: boolean
  /** The stage is waiting because another run is computing it. */
  readonly elsewhere?: boolean
  readonly startedAt?: number
  readonly steppedAt?: number
  readonly progress: StepProgress
  /** The reason why the last attempt failed, if there was one. */
  readonly error?: string
}

/** The progress of a run with its retries. */
export interface RunView extends RunProgress {
  readonly retries: readonly Retry[]
}

/** Returns the progress of a run: the workflow's own answer, completed by the newest heartbeats. */
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
      const heartbeat =
        payloads?.[0] && (await decodeFromPayloadsAtIndex<HeartbeatDetails>(converter, 0, payloads))
      const waited = activity.lastFailure?.applicationFailureInfo?.type === 'ComputedElsewhereError'
      // An attempt that only checks whether it still has to wait reports no step.
      const computes = heartbeat?.attempt === activity.attempt && !heartbeat?.look
      const failure = waited ? undefined : activity.lastFailure
      const error = await decodeOptionalFailureToOptionalError(converter, failure)
      return {
        key: activity.activityId ?? '',
        started: withWorker.includes(activity.state ?? 0),
        progress: heartbeat ?? {},
        ...(waited && !computes && { elsewhere: true }),
        ...(startedAt !== undefined && { startedAt }),
        ...(steppedAt !== undefined && { steppedAt }),
        ...(error && error.message !== '' && { error: error.message }),
      }
    }),
  )
}
