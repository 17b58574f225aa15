import type { ActivityInterceptorsFactory } from '@temporalio/worker'
import type { StageDone } from '../../activities/runtime/stage.ts'
import { runOf } from '../../workflows/names.ts'

/** What an attempt at an activity is about. */
export interface Attempt {
  /** Of a run or a sweep. */
  readonly run: string
  /** The activity's name: that of a stage is its kind. */
  readonly stage: string
  /** The first 12 digits of the stage's key; absent where the activity is no stage. */
  readonly key?: string
  readonly attempt: number
}

/** The errors' three kinds, and `lost`: another attempt has taken the stage over. */
export const failureKinds = ['user', 'math', 'world', 'lost'] as const
export type FailureKind = (typeof failureKinds)[number]

/** How an attempt ended. `handed-over` and `waits` are no failures: another worker, or a later attempt, goes on. */
export type End =
  | { readonly outcome: 'computed' | 'cached' | 'done' | 'handed-over' | 'waits' | 'cancelled' }
  | { readonly outcome: 'failed'; readonly kind: FailureKind; readonly error: Error }

/** Hears of the beginning of an attempt, and answers what hears of its end. */
export type Watcher = (begun: Begun) => (end: End, seconds: number) => void

export interface Begun extends Attempt {
  readonly workflowRunId: string | undefined
  readonly headers: Readonly<Record<string, unknown>>
}

/** Tells watchers of every attempt. */
export function watched(watchers: readonly Watcher[]): ActivityInterceptorsFactory {
  return ({ info }) => ({
    inbound: {
      async execute(input, next) {
        const about = attemptOf({ ...info, ...info.workflowExecution })
        const begun = { ...about, workflowRunId: info.workflowExecution?.runId, headers: input.headers }
        const started = performance.now()
        const ends = watchers.map((begins) => begins(begun))
        const tell = (end: End) => {
          for (const hears of ends) hears(end, (performance.now() - started) / 1000)
        }
        try {
          const result: unknown = await next(input)
          tell({ outcome: outcomeOf(about, result) })
          return result
        } catch (error) {
          tell(endBy(error))
          throw error
        }
      },
    },
  })
}

/** What Temporal knows of an activity, in its own words. */
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

/** By the names that activities/runtime/errors.ts gives. */
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
