import { defaultPayloadConverter, type Headers, type Payload } from '@temporalio/common'
import { spanNamed } from './traceparent.ts'

/** The header in which Temporal's SDKs pass a trace on. */
const traceHeader = '_tracer-data'

interface Carrier {
  readonly traceparent: string
}

/**
 * Returns the caller's `traceparent`, or undefined if it is not traced or the header is not valid.
 */
export function traceparentOf(headers: Headers): string | undefined {
  const payload = headers[traceHeader]
  if (!payload) return undefined
  const traceparent = carrierIn(payload)?.traceparent
  return typeof traceparent === 'string' && spanNamed(traceparent) ? traceparent : undefined
}

/**
 * Returns null if another program has written the header in a format of its own: a run ignores it.
 */
function carrierIn(payload: Payload): Partial<Carrier> | null {
  try {
    return defaultPayloadConverter.fromPayload<Partial<Carrier> | null>(payload)
  } catch {
    return null
  }
}

/** Returns the headers with a `traceparent` added. */
export function withTraceparent(headers: Headers, traceparent: string): Headers {
  const carrier: Carrier = { traceparent }
  return { ...headers, [traceHeader]: defaultPayloadConverter.toPayload(carrier) }
}
