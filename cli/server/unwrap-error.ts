/**
 * The errors that only wrap another one. They are known by their names, since the SDK takes long to
 * load.
 */
const wrappings: ReadonlySet<string> = new Set([
  'WorkflowFailedError',
  'ChildWorkflowFailure',
  'ActivityFailure',
  'ServiceError',
])

/**
 * Returns the error inside the wrappers of Temporal's SDK. The cause of any other error stays
 * inside it.
 */
export function causeOf(error: unknown): unknown {
  let cause = error
  while (cause instanceof Error && wrappings.has(cause.name) && cause.cause !== undefined) cause = cause.cause
  return cause
}

/** Returns the message of a failure without the wrappers of Temporal's SDK. */
export function errorReason(error: unknown): string {
  const cause = causeOf(error)
  return cause instanceof Error ? cause.message : String(cause)
}
