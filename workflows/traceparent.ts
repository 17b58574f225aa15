/** The fields of W3C's `traceparent`: a trace, a span of it, and whether its spans are sent. */
export interface SpanName {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** 16 hexadecimal digits. */
  readonly spanId: string
  /** 1 if the spans of the trace are sent. */
  readonly flags: number
}

/** Parses a `traceparent`. Returns undefined if it is not valid. */
export function spanNamed(traceparent: string): SpanName | undefined {
  const [, traceId, spanId, flags] =
    /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent) ?? []
  return traceId !== undefined && spanId !== undefined && flags !== undefined
    ? { traceId, spanId, flags: parseInt(flags, 16) }
    : undefined
}

/** Formats a `traceparent`. */
export function traceparentNaming({ traceId, spanId, flags }: SpanName): string {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`
}

/** Returns the `traceparent` with another span of the same trace. */
export function withSpan(traceparent: string, spanId: string): string {
  const named = spanNamed(traceparent)
  return named ? traceparentNaming({ ...named, spanId }) : traceparent
}

/** The trace id of a workflow whose caller is not traced: the 32 digits of its run id. */
export const traceIdOf = (workflowRunId: string) => workflowRunId.replaceAll('-', '')
/** The span id of a workflow: the last 16 digits of its run id. */
export const spanIdOf = (workflowRunId: string) => traceIdOf(workflowRunId).slice(-16)
