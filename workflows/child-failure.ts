import {
  ActivityFailure,
  ChildWorkflowFailure,
  isCancellation,
  TerminatedFailure,
  TimeoutFailure,
} from '@temporalio/workflow'

/** Describes for the report why a child workflow has failed. */
export function childFailureMessage(error: unknown): string {
  let cause = error
  while ((cause instanceof ChildWorkflowFailure || cause instanceof ActivityFailure) && cause.cause)
    cause = cause.cause
  if (cause instanceof TerminatedFailure) return 'it was terminated'
  if (cause instanceof TimeoutFailure) return 'it timed out'
  if (isCancellation(cause)) return 'it was cancelled'
  return cause instanceof Error ? cause.message : String(cause)
}
