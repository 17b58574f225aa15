import { defaultPayloadConverter, type Headers, type Payload } from '@temporalio/common'
import { spanNamed } from './traceparent.ts'

/** How Temporal's SDKs hand a trace on. */
const traceHeader = '_tracer-data'

interface Carrier {
  readonly traceparent: string
}

/** undefined: the caller is not traced, or what it says is no `traceparent`. */
export function traceparentOf(headers: Headers): string | undefined {
  const payload = headers[traceHeader]
  if (!payload) return undefined
  const traceparent = carried(payload)?.traceparent
  return typeof traceparent === 'string' && spanNamed(traceparent) ? traceparent : undefined
}

/** What another program put there, in a form of its own, must not break a run. */
function carried(payload: Payload): Partial<Carrier> | null {
  try {
    return defaultPayloadConverter.fromPayload<Partial<Carrier> | null>(payload)
  } catch {
    return null
  }
}

export function carrying(headers: Headers, traceparent: string): Headers {
  const carrier: Carrier = { traceparent }
  return { ...headers, [traceHeader]: defaultPayloadConverter.toPayload(carrier) }
}
