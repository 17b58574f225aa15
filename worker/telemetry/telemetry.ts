import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import type { WorkerOptions } from '@temporalio/worker'
import { watched, type Watcher } from './attempt-interceptor.ts'
import type { EndpointOptions, State } from '../endpoint.ts'
import { attemptLog, writer } from './log.ts'
import { freePort } from '../../host/free-port.ts'
import { spanWatcher, traceSinks } from './spans.ts'
import { tracing } from './trace.ts'

/** Worker telemetry: logs always, Prometheus metrics and OpenTelemetry spans if enabled. */
export interface Telemetry {
  /** The interceptor and the sinks for `Worker.create`. */
  readonly interceptor: ReturnType<typeof watched>
  readonly sinks: NonNullable<WorkerOptions['sinks']>
  /**
   * The local address at which the SDK's native part has to serve its own metrics. They become a
   * part of `/metrics`.
   */
  readonly coreAddress?: string
  /** Sets the state that `/readyz` reports. */
  readonly become: (state: State) => void
  readonly close: () => Promise<void>
}

export async function startTelemetry(endpoint: EndpointOptions | undefined): Promise<Telemetry> {
  const figures = endpoint && (await serve(endpoint))
  const write = writer()
  const spans = await tracing('zeroshift-worker', (message) => {
    write('WARN', message)
  })
  const watchers: readonly Watcher[] = [
    attemptLog(write),
    ...(figures ? [figures.watcher] : []),
    ...(spans ? [spanWatcher(spans)] : []),
  ]
  return {
    interceptor: watched(watchers),
    sinks: traceSinks(spans),
    ...(figures && { coreAddress: figures.coreAddress }),
    become(state) {
      figures?.become(state)
    },
    async close() {
      await spans?.close()
      await figures?.close()
    },
  }
}

async function serve(options: EndpointOptions) {
  const [{ metrics }, { startEndpoint }] = await Promise.all([
    import('./metrics.ts'),
    import('../endpoint.ts'),
  ])
  const figures = metrics()
  const coreAddress = `127.0.0.1:${await freePort()}`
  let state: State = 'starting'
  const { close } = await startEndpoint(options, {
    contentType: figures.contentType,
    state: () => state,
    metrics: async () => `${await figures.text()}${await coreMetrics(coreAddress)}`,
  })
  const become = (next: State) => {
    state = next
  }
  return { watcher: figures.watcher, coreAddress, become, close }
}

/**
 * Reads the metrics of the SDK's native part. Returns empty text if it does not answer, for
 * instance because it is not loaded yet. This does not use `fetch`, which takes 50 ms to load.
 */
async function coreMetrics(address: string): Promise<string> {
  try {
    const request = get(`http://${address}/metrics`, { signal: AbortSignal.timeout(2_000) })
    const [answer] = (await once(request, 'response')) as [IncomingMessage]
    return await text(answer)
  } catch {
    return ''
  }
}
