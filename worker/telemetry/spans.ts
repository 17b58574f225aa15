import type { Headers } from '@temporalio/common'
import type { InjectedSinks } from '@temporalio/worker'
import { runOf } from '../../workflows/names.ts'
import { traceparentOf } from '../../workflows/trace-header.ts'
import { spanIdOf, traceIdOf } from '../../workflows/traceparent.ts'
import type { TraceSinks } from '../../workflows/trace.ts'
import type { Watcher } from './attempt-interceptor.ts'
import type { Tracing } from './trace.ts'

/**
 * Creates a span for every attempt at an activity, as a child of its workflow's span. If the caller
 * of the workflow is not traced, the attempts of the workflow have a trace of their own.
 */
export function spanWatcher(tracing: Tracing): Watcher {
  return ({ run, stage, key, attempt, workflowRunId, headers }) => {
    const span = tracing.begin({
      name: stage,
      parent: traceparentOf(headers as Headers),
      traceId: workflowRunId === undefined ? undefined : traceIdOf(workflowRunId),
      attributes: {
        'zeroshift.run': run,
        'zeroshift.stage': stage,
        ...(key !== undefined && { 'zeroshift.key': key }),
        'zeroshift.attempt': attempt,
      },
    })
    return (end) => {
      const outcome = { 'zeroshift.outcome': end.outcome }
      if (end.outcome === 'failed') span.end({ ...outcome, 'zeroshift.failure': end.kind }, end.error.message)
      else span.end(outcome)
    }
  }
}

/**
 * Creates a span for every workflow whose caller is traced. Workflows also call this sink on
 * workers without tracing, where it does nothing.
 */
export function traceSinks(tracing: Tracing | undefined): InjectedSinks<TraceSinks> {
  return {
    trace: {
      ended: {
        fn({ runId, startTime, workflowId, workflowType }, { caller, outcome }) {
          tracing
            ?.begin({
              name: workflowType,
              parent: caller,
              spanId: spanIdOf(runId),
              startedAt: startTime,
              attributes: { 'zeroshift.run': runOf(workflowId, workflowType), 'zeroshift.outcome': outcome },
            })
            .end({}, outcome === 'failed' ? 'the workflow failed' : undefined)
        },
      },
    },
  }
}
