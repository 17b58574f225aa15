/** W3C's `traceparent`: which trace, which span of it, and whether its spans are sent. */
export interface SpanName {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** 16 hexadecimal digits. */
  readonly spanId: string
  /** 1: the spans of the trace are sent. */
  readonly flags: number
}

/** undefined: it is no `traceparent`. */
export function spanNamed(traceparent: string): SpanName | undefined {
  const [, traceId, spanId, flags] =
    /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent) ?? []
  return traceId !== undefined && spanId !== undefined && flags !== undefined
    ? { traceId, spanId, flags: parseInt(flags, 16) }
    : undefined
}

export function traceparentNaming({ traceId, spanId, flags }: SpanName): string {
  return `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`
}

/** The same trace, further down. */
export function withSpan(traceparent: string, spanId: string): string {
  const named = spanNamed(traceparent)
  return named ? traceparentNaming({ ...named, spanId }) : traceparent
}

/** The trace of a workflow that nobody traced before it: the 32 digits of its run's id. */
export const traceIdOf = (workflowRunId: string) => workflowRunId.replaceAll('-', '')
/** The span of a workflow: the last 16 digits of its run's id. */
export const spanIdOf = (workflowRunId: string) => traceIdOf(workflowRunId).slice(-16)
