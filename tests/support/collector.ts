import { text } from 'node:stream/consumers'
import { serving } from './serving.ts'

/** A span as a collector gets it. */
export interface Collected {
  readonly service: string
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly failed: boolean
  readonly attributes: Readonly<Record<string, unknown>>
}

interface Attribute {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}
interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] }
    readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[]
  }[]
}
interface SentSpan extends Omit<Collected, 'attributes' | 'service' | 'failed'> {
  readonly attributes: readonly Attribute[]
  readonly status: { readonly code?: number }
}

const plain = (attributes: readonly Attribute[]) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

/** A server that receives spans by OTLP over HTTP, as an OpenTelemetry collector does. */
export async function collector() {
  const spans: Collected[] = []
  const { url, close } = await serving((request, response) => {
    void text(request).then((body) => {
      if (request.url !== '/v1/traces') {
        response.writeHead(404).end()
        return
      }
      for (const { resource, scopeSpans } of (JSON.parse(body) as Sent).resourceSpans)
        for (const { attributes, status, ...span } of scopeSpans.flatMap((scope) => scope.spans))
          spans.push({
            ...span,
            service: String(plain(resource.attributes)['service.name']),
            failed: status.code === ERROR,
            attributes: plain(attributes),
          })
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  return {
    url,
    spans: spans as readonly Collected[],
    close,
  }
}

const ERROR = 2
