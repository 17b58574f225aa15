import type { WorkflowClient, WorkflowExecutionDescription } from '@temporalio/client'
import type { LoadedDataConverter } from '@temporalio/common'
import { decodeOptionalFailureToOptionalError } from '@temporalio/common/lib/internal-non-workflow/index.js'
import { optionalTsToMs } from '@temporalio/common/lib/time.js'
import type { HeartbeatDetails } from '../../activities/runtime/heartbeat-details.ts'
import { trackingType } from '../../workflows/names.ts'
import type { Retry } from './retry-lines.ts'

/**
 * The types of failures after which no work is repeated: the stage waits for another run, or
 * another worker continues.
 */
const waits: ReadonlySet<string> = new Set(['ComputedElsewhereError', 'HandedOverError', 'NoneEnded'])

/** PENDING_ACTIVITY_STATE_SCHEDULED of Temporal's API: no worker has begun the next attempt. */
const waiting: readonly number[] = [1]

/**
 * Returns the activities of a workflow, and of its tracking workflow, whose last attempt failed.
 */
export async function retriesOf(
  client: WorkflowClient,
  { raw }: WorkflowExecutionDescription,
): Promise<readonly Retry[]> {
  const tracking = (raw.pendingChildren ?? []).filter(
    ({ workflowTypeName }) => workflowTypeName === trackingType,
  )
  const found = await Promise.all(
    tracking.map(({ workflowId, runId }) =>
      client
        .getHandle(workflowId ?? '', runId ?? undefined)
        .describe()
        .catch(() => undefined),
    ),
  )
  const { loadedDataConverter } = client.options
  const all = [raw, ...found.flatMap((description) => description?.raw ?? [])]
  return (
    await Promise.all(
      all.flatMap(({ pendingActivities }) =>
        (pendingActivities ?? []).map((activity) => retryIn(activity, loadedDataConverter)),
      ),
    )
  ).flat()
}

type PendingActivity = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number]

async function retryIn(activity: PendingActivity, converter: LoadedDataConverter): Promise<readonly Retry[]> {
  const { lastFailure, heartbeatDetails, activityType, activityId } = activity
  if (!lastFailure || waits.has(lastFailure.applicationFailureInfo?.type ?? '')) return []
  const attempt = activity.attempt ?? 1
  const isUnderWay = !waiting.includes(activity.state ?? 0)
  if (isUnderWay && (await hasStepped(heartbeatDetails, attempt, converter))) return []
  const error = await decodeOptionalFailureToOptionalError(converter, lastFailure)
  const nextAt = isUnderWay ? undefined : optionalTsToMs(activity.nextAttemptScheduleTime)
  const startedAt = isUnderWay ? optionalTsToMs(activity.lastStartedTime) : undefined
  return [
    {
      key: activityId ?? '',
      stage: names[activityType?.name ?? ''] ?? activityType?.name ?? 'a task',
      reason: retryReason(error),
      attempt,
      ...(nextAt !== undefined && { nextAt }),
      ...(startedAt !== undefined && { startedAt }),
    },
  ]
}

/** Whether the attempt has made a step, and so has passed the failure of the previous one. */
async function hasStepped(
  details: PendingActivity['heartbeatDetails'],
  attempt: number,
  converter: LoadedDataConverter,
): Promise<boolean> {
  const [payload] = details?.payloads ?? []
  if (!payload) return false
  const [decoded] = await converter.payloadCodecs.reduceRight<Promise<(typeof payload)[]>>(
    async (payloads, codec) => codec.decode(await payloads),
    Promise.resolve([payload]),
  )
  if (!decoded) return false
  const heartbeat = converter.payloadConverter.fromPayload<Partial<HeartbeatDetails> | undefined>(decoded)
  return heartbeat?.attempt === attempt && heartbeat.step !== undefined
}

/**
 * Returns the reason of a failure. A connection that is refused at every address of a name has no
 * message of its own.
 */
function retryReason(error: Error | undefined): string {
  const texts = [error?.message, error?.cause instanceof Error ? error.cause.message : undefined]
  const type = error && 'type' in error && typeof error.type === 'string' ? error.type : undefined
  return texts.find(Boolean) ?? type ?? 'it failed without a reason'
}

/** The names, for people, of activities that are no stages of a run. */
const names: Readonly<Record<string, string>> = {
  kept: 'looking into the store',
  keptRun: 'looking into the store',
  report: 'writing the report',
  track: 'tracking in MLflow',
  trackSweep: 'tracking in MLflow',
  cellsOf: 'reading the sweep',
  settled: 'looking into the store',
  whichEnded: 'waiting for other runs',
  reportSweep: 'writing the report',
}
