import type { Headers } from '@temporalio/common'
import {
  ContinueAsNew,
  isCancellation,
  proxySinks,
  workflowInfo,
  type Sinks,
  type WorkflowInterceptorsFactory,
} from '@temporalio/workflow'
import { carrying, traceparentOf } from './trace-header.ts'
import { spanIdOf, withSpan } from './traceparent.ts'

/** To the worker: a workflow whose caller is traced has ended. */
export interface TraceSinks extends Sinks {
  readonly trace: {
    ended(end: WorkflowEnd): void
  }
}

export interface WorkflowEnd {
  /** W3C's `traceparent` of who started it. */
  readonly caller: string
  readonly outcome: 'completed' | 'failed' | 'cancelled' | 'continued'
}

/**
 * Hands on whose trace a workflow belongs to. The span's id is the end of the run's id: nothing is drawn at random, no
 * command is added, and a history that was recorded without headers is replayed as before.
 */
export const interceptors: WorkflowInterceptorsFactory = () => {
  const { trace } = proxySinks<TraceSinks>()
  let caller: string | undefined
  const inside = (headers: Headers): Headers =>
    caller === undefined ? headers : carrying(headers, withSpan(caller, spanIdOf(workflowInfo().runId)))
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
        // The next execution has the same caller.
        continueAsNew: (input, next) =>
          next({ ...input, headers: caller === undefined ? input.headers : carrying(input.headers, caller) }),
      },
    ],
  }
}

function outcomeOf(error: unknown): WorkflowEnd['outcome'] {
  if (error instanceof ContinueAsNew) return 'continued'
  return isCancellation(error) ? 'cancelled' : 'failed'
}
