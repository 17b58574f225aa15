/** Of themselves they say only that something failed. Known by name: the SDK takes long to load. */
const wrappings: ReadonlySet<string> = new Set([
  'WorkflowFailedError',
  'ChildWorkflowFailure',
  'ActivityFailure',
  'ServiceError',
])

/** The error inside those that Temporal's SDK wraps it in. What an error of another kind has as its cause, it says itself. */
export function causeOf(error: unknown): unknown {
  let cause = error
  while (cause instanceof Error && wrappings.has(cause.name) && cause.cause !== undefined) cause = cause.cause
  return cause
}

/** What a person needs to know of a failure. */
export function errorReason(error: unknown): string {
  const cause = causeOf(error)
  return cause instanceof Error ? cause.message : String(cause)
}
