import type { Attributes } from '@opentelemetry/api'
import { withoutCredentials } from '../../common/credentials.ts'
import { spanNamed, traceparentNaming } from '../../workflows/traceparent.ts'

/** Creates the spans of this process and sends them to a collector. */
export interface Tracing {
  begin(start: SpanStart): OpenSpan
  /** Sends the remaining spans. Gives up after a few seconds. */
  close(): Promise<void>
}

export interface SpanStart {
  readonly name: string
  /** W3C's `traceparent` of the parent span. */
  readonly parent?: string | undefined
  /** The trace id for a span without parent. Random unless given. */
  readonly traceId?: string | undefined
  /** The id of the span. Random unless given. */
  readonly spanId?: string | undefined
  readonly startedAt?: Date
  readonly attributes?: Attributes
}

export interface OpenSpan {
  /** W3C's `traceparent` of this span, for its child spans. */
  readonly traceparent: string
  /** Ends the span. `problem` says why its operation failed. */
  end(attributes?: Attributes, problem?: string): void
}

/** Whether OpenTelemetry's variables name a collector. */
function isTraced(environment: NodeJS.ProcessEnv = process.env): boolean {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: all, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces } = environment
  return Boolean(all ?? traces) && environment.OTEL_SDK_DISABLED !== 'true'
}

const CLOSE_MS = 3_000

/**
 * Starts tracing with OpenTelemetry's usual variables. Returns undefined, without loading
 * OpenTelemetry, if no collector is set.
 */
export async function tracing(
  service: string,
  onProblem: (message: string) => void,
): Promise<Tracing | undefined> {
  if (!isTraced()) return undefined
  const [api, sdk, resources, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ])
  const { DiagLogLevel, ROOT_CONTEXT, SpanStatusCode, diag, trace } = api
  const tell = (message: string) => {
    onProblem(withoutCredentials(message))
  }
  const silent = () => undefined
  diag.setLogger(
    { error: tell, warn: tell, info: silent, debug: silent, verbose: silent },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  )

  const random = new sdk.RandomIdGenerator()
  const given: { traceId?: string | undefined; spanId?: string | undefined } = {}
  const provider = new sdk.TracerProvider({
    resource: resources
      .defaultResource()
      .merge(resources.resourceFromAttributes({ 'service.name': service }))
      .merge(resources.detectResources({ detectors: [resources.envDetector] })),
    idGenerator: {
      generateTraceId: () => given.traceId ?? random.generateTraceId(),
      generateSpanId: () => given.spanId ?? random.generateSpanId(),
    },
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: new OTLPTraceExporter(
          process.env.OTEL_EXPORTER_OTLP_TIMEOUT === undefined ? { timeoutMillis: CLOSE_MS } : {},
        ),
        scheduledDelayMillis: 1_000,
      }),
    ],
  })
  const tracer = provider.getTracer('zeroshift')

  return {
    begin({ name, parent, traceId, spanId, startedAt, attributes = {} }) {
      const above = parent === undefined ? undefined : spanNamed(parent)
      const context = above
        ? trace.setSpanContext(ROOT_CONTEXT, { ...above, traceFlags: above.flags, isRemote: true })
        : ROOT_CONTEXT
      // The id generator reads these values during `startSpan`, which is synchronous.
      Object.assign(given, { traceId, spanId })
      const span = tracer.startSpan(name, { attributes, ...(startedAt && { startTime: startedAt }) }, context)
      Object.assign(given, { traceId: undefined, spanId: undefined })
      const own = span.spanContext()
      return {
        traceparent: traceparentNaming({ ...own, flags: own.traceFlags }),
        end(more = {}, problem) {
          span.setAttributes(more)
          if (problem !== undefined)
            span.setStatus({ code: SpanStatusCode.ERROR, message: withoutCredentials(problem) })
          span.end()
        },
      }
    },
    async close() {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, CLOSE_MS)
      })
      const sent = provider.shutdown().catch((error: unknown) => {
        tell(`spans were not sent: ${String(error)}`)
      })
      await Promise.race([sent, late])
      clearTimeout(timer)
    },
  }
}
