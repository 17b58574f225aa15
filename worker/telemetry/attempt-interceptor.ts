import type { ActivityInterceptorsFactory } from '@temporalio/worker'
import type { StageDone } from '../../activities/runtime/stage.ts'
import { runOf } from '../../workflows/names.ts'

/** An attempt at an activity, as logs, metrics and spans describe it. */
export interface Attempt {
  /** The id of the run or the sweep. */
  readonly run: string
  /** The name of the activity. For a stage this is its kind. */
  readonly stage: string
  /** The first 12 digits of the stage's key. Absent if the activity is not a stage. */
  readonly key?: string
  readonly attempt: number
}

/** The three kinds of errors, and `lost`: another attempt has taken the stage over. */
export const failureKinds = ['user', 'math', 'world', 'lost'] as const
export type FailureKind = (typeof failureKinds)[number]

/**
 * How an attempt ended. `handed-over` and `waits` are not failures: another worker or a later
 * attempt continues the stage.
 */
export type End =
  | { readonly outcome: 'computed' | 'cached' | 'done' | 'handed-over' | 'waits' | 'cancelled' }
  | { readonly outcome: 'failed'; readonly kind: FailureKind; readonly error: Error }

/** A callback for the begin of an attempt. It returns a callback for the end of that attempt. */
export type Watcher = (begun: Begun) => (end: End, seconds: number) => void

export interface Begun extends Attempt {
  readonly workflowRunId: string | undefined
  readonly headers: Readonly<Record<string, unknown>>
}

/** Returns an interceptor that calls the watchers for every attempt. */
export function watched(watchers: readonly Watcher[]): ActivityInterceptorsFactory {
  return ({ info }) => ({
    inbound: {
      async execute(input, next) {
        const about = attemptOf({ ...info, ...info.workflowExecution })
        const begun = { ...about, workflowRunId: info.workflowExecution?.runId, headers: input.headers }
        const started = performance.now()
        const onEnd = watchers.map((onBegin) => onBegin(begun))
        const reportEnd = (end: End) => {
          for (const callback of onEnd) callback(end, (performance.now() - started) / 1000)
        }
        try {
          const result: unknown = await next(input)
          reportEnd({ outcome: outcomeOf(about, result) })
          return result
        } catch (error) {
          reportEnd(endBy(error))
          throw error
        }
      },
    },
  })
}

/** The fields by which Temporal describes an activity. */
export interface ActivityWords {
  readonly workflowId?: string
  readonly workflowType?: string | undefined
  readonly activityId: string
  readonly activityType: string
  readonly attempt: number
}

export function attemptOf(words: ActivityWords): Attempt {
  const { workflowId = '', workflowType = '', activityId, activityType: stage, attempt } = words
  // The activity's id is the stage's key (see workflows/stages.ts).
  const key = /^[0-9a-f]{64}$/.test(activityId) ? { key: activityId.slice(0, 12) } : {}
  return { run: runOf(workflowId, workflowType), stage, ...key, attempt }
}

function outcomeOf({ key }: Attempt, result: unknown): 'computed' | 'cached' | 'done' {
  if (key === undefined) return 'done'
  return (result as StageDone).cached ? 'cached' : 'computed'
}

/** Classifies the end of an attempt by the names of errors in activities/runtime/errors.ts. */
export function endBy(thrown: unknown): End {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const { type } = error as { readonly type?: unknown }
  switch (typeof type === 'string' ? type : error.name) {
    case 'HandedOverError':
      return { outcome: 'handed-over' }
    case 'ComputedElsewhereError':
      return { outcome: 'waits' }
    case 'CancelledFailure':
    case 'AbortError':
      return { outcome: 'cancelled' }
    case 'UserError':
      return { outcome: 'failed', kind: 'user', error }
    case 'MathError':
      return { outcome: 'failed', kind: 'math', error }
    case 'LeaseLostError':
      return { outcome: 'failed', kind: 'lost', error }
    default:
      return { outcome: 'failed', kind: 'world', error }
  }
}
