import type { Headers } from '@temporalio/common'
import {
  ContinueAsNew,
  isCancellation,
  proxySinks,
  workflowInfo,
  type Sinks,
  type WorkflowInterceptorsFactory,
} from '@temporalio/workflow'
import { traceparentOf, withTraceparent } from './trace-header.ts'
import { spanIdOf, withSpan } from './traceparent.ts'

/** Tells the worker that a workflow whose caller is traced has ended. */
export interface TraceSinks extends Sinks {
  readonly trace: {
    ended(end: WorkflowEnd): void
  }
}

export interface WorkflowEnd {
  /** W3C's `traceparent` of the span that started the workflow. */
  readonly caller: string
  readonly outcome: 'completed' | 'failed' | 'cancelled' | 'continued'
}

/**
 * Passes the trace of a workflow's caller on to activities and child workflows. The id of the
 * workflow's span is the end of its run id, so that no random number is needed and no command is
 * added. Histories that were recorded without these headers can be replayed.
 */
export const interceptors: WorkflowInterceptorsFactory = () => {
  const { trace } = proxySinks<TraceSinks>()
  let caller: string | undefined
  const inside = (headers: Headers): Headers =>
    caller === undefined
      ? headers
      : withTraceparent(headers, withSpan(caller, spanIdOf(workflowInfo().runId)))
  return {
    inbound: [
      {
        async execute(input, next) {
          caller = traceparentOf(input.headers)
          const parent = caller
          if (parent === undefined) return next(input)
          try {
            const result = await next(input)
            trace.ended({ caller: parent, outcome: 'completed' })
            return result
          } catch (error) {
            trace.ended({ caller: parent, outcome: outcomeOf(error) })
            throw error
          }
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next({ ...input, headers: inside(input.headers) }),
        startChildWorkflowExecution: (input, next) => next({ ...input, headers: inside(input.headers) }),
        // The new execution has the same caller as this one.
        continueAsNew: (input, next) =>
          next({
            ...input,
            headers: caller === undefined ? input.headers : withTraceparent(input.headers, caller),
          }),
      },
    ],
  }
}

function outcomeOf(error: unknown): WorkflowEnd['outcome'] {
  if (error instanceof ContinueAsNew) return 'continued'
  return isCancellation(error) ? 'cancelled' : 'failed'
}
