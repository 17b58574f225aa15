import type { Attributes } from '@opentelemetry/api'
import { withoutCredentials } from '../../common/credentials.ts'
import { spanNamed, traceparentNaming } from '../../workflows/traceparent.ts'

/** Spans of this process, on their way to a collector. */
export interface Tracing {
  begin(start: SpanStart): OpenSpan
  /** Sends what is left, for a few seconds at most. */
  close(): Promise<void>
}

export interface SpanStart {
  readonly name: string
  /** W3C's `traceparent` of the span above it. */
  readonly parent?: string | undefined
  /** Of a span without one above it; random unless given. */
  readonly traceId?: string | undefined
  /** Random unless given. */
  readonly spanId?: string | undefined
  readonly startedAt?: Date
  readonly attributes?: Attributes
}

export interface OpenSpan {
  /** For the spans below it. */
  readonly traceparent: string
  /** `problem`: why what it stands for failed. */
  end(attributes?: Attributes, problem?: string): void
}

/** Whether OpenTelemetry's settings say where spans go. */
function isTraced(environment: NodeJS.ProcessEnv = process.env): boolean {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: all, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces } = environment
  return Boolean(all ?? traces) && environment.OTEL_SDK_DISABLED !== 'true'
}

const CLOSE_MS = 3_000

/** undefined: nobody wants spans. OpenTelemetry is loaded where somebody does, and takes its usual settings. */
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
      // Read while the span is made, which happens at once.
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
