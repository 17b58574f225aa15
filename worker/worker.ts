import { DefaultLogger, Runtime, Worker, type WorkerDeploymentOptions } from '@temporalio/worker'
import type { AllowedPrefixes } from '../activities/runtime/allowed-places.ts'
import type { Activities } from '../activities/index.ts'
import { deploymentName, queues, type Queue } from '../workflows/names.ts'
import { levelOf } from './worker-log.mjs'
import { signingKey } from '../signatures/setting.ts'
import { workflowBundle } from './bundle.ts'
import { connectWorker } from './connection.ts'
import type { EndpointOptions } from './endpoint.ts'
import { Idleness } from './idleness.ts'
import { dataConverter } from './payload-codec.ts'
import type { TemporalSettings } from './temporal-settings.ts'
import { logLine, writer } from './telemetry/log.ts'
import { progressSeconds } from './progress.ts'
import { watchServer } from './server-health.ts'
import { startTelemetry, type Telemetry } from './telemetry/telemetry.ts'

export interface WorkerSettings extends TemporalSettings {
  readonly queues?: readonly Queue[]
  readonly activities?: Activities
  /** Where tasks may lead; what the environment says unless given. */
  readonly allowed?: AllowedPrefixes
  /** Work as this version of the deployment `zeroshift`: runs come to the version that Temporal has as the current one. */
  readonly buildId?: string
  /** How long to try to reach a server that does not answer yet. */
  readonly connectSeconds?: number
  /** Hears once for each reason why that server is not reached, with the seconds that are left. */
  readonly onWait?: (reason: string, secondsLeft: number) => void
  /** Stops the worker once it has had no activity for so long: whoever started it starts another one for new work. */
  readonly idleSeconds?: number
  /** Stops the worker when it aborts: no new work, then what runs is given the grace time and handed back. */
  readonly signal?: AbortSignal
  /** Where `/metrics`, `/healthz` and `/readyz` are served; nowhere unless given. */
  readonly endpoint?: EndpointOptions
  readonly onReady?: () => void
}

/** What an activity is given to end after the worker was told to stop; an orchestrator must wait for longer. */
export const GRACE_SECONDS = 5
const shutdownSignals = ['SIGINT', 'SIGTERM'] as const

/** Serves the queues until it is told to stop, by the signal or by SIGINT or SIGTERM, or has been idle for long enough. */
export async function runWorker(settings: WorkerSettings): Promise<void> {
  const seen = await startTelemetry(settings.endpoint)
  try {
    await serve(settings, seen)
  } finally {
    await seen.close()
  }
}

async function serve(
  {
    queues: taskQueues = queues,
    activities,
    allowed,
    buildId,
    connectSeconds = 60,
    onWait,
    idleSeconds,
    signal,
    endpoint,
    onReady,
    ...temporal
  }: WorkerSettings,
  { interceptor, sinks, coreAddress, become }: Telemetry,
): Promise<void> {
  // What is wrong with the environment is found before the native half starts, which would keep the
  // process alive.
  const converter = dataConverter()
  const signer = signingKey()
  const secondsBetween = progressSeconds()
  installRuntime(coreAddress)
  const stopping = new AbortController()
  const idleness = idleSeconds === undefined ? undefined : new Idleness()
  const bundling = taskQueues.includes('zeroshift')
    ? workflowBundle(undefined, converter.failureConverterPath)
    : undefined
  const [connection, bundle, served] = await Promise.all([
    connectWorker(temporal, { seconds: connectSeconds, signal, onWait }),
    bundling,
    activities ??
      import('../activities/index.ts').then(({ allowedPrefixes, createActivities }) =>
        createActivities({
          stopping: stopping.signal,
          allowed: allowedPrefixes(allowed),
          ...(signer && { signer }),
        }),
      ),
  ])
  try {
    const workers = await Promise.all(
      taskQueues.map((taskQueue) =>
        Worker.create({
          connection,
          ...(temporal.namespace !== undefined && { namespace: temporal.namespace }),
          dataConverter: converter,
          taskQueue,
          activities: served,
          maxHeartbeatThrottleInterval: 1000 * secondsBetween,
          shutdownGraceTime: `${GRACE_SECONDS}s`,
          ...(buildId !== undefined && { workerDeploymentOptions: versioned(buildId) }),
          interceptors: { activity: [interceptor, ...(idleness ? [idleness.interceptor] : [])] },
          sinks,
          // After a worker dies, its runs wait this long before another takes them up.
          stickyQueueScheduleToStartTimeout: '2s',
          ...(taskQueue === 'zeroshift'
            ? {
                ...(bundle && { workflowBundle: bundle }),
                maxConcurrentActivityTaskExecutions: 4,
                // A run whose workflow was changed under it fails, to be started again, rather than waiting for ever.
                workflowFailureErrorTypes: { '*': ['Error'] },
              }
            : { maxConcurrentActivityTaskExecutions: 1 }),
        }),
      ),
    )
    const stop = () => {
      // Long stages keep a checkpoint and hand over, well within the grace time.
      stopping.abort()
      become('stopping')
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown()
    }
    signal?.addEventListener('abort', stop)
    for (const name of shutdownSignals) process.once(name, stop)
    const running = Promise.all(workers.map((worker) => worker.run()))
    if (signal?.aborted) stop()
    else become('ready')
    onReady?.()
    if (endpoint)
      void watchServer(
        connection,
        (answers) => {
          become(answers ? 'ready' : 'no server')
        },
        stopping.signal,
      )
    if (idleness && idleSeconds !== undefined)
      idleness.lasting(idleSeconds, stopping.signal).then(stop, () => undefined)
    try {
      await running
    } finally {
      for (const name of shutdownSignals) process.off(name, stop)
      // One that fails must not leave the other behind.
      stop()
      await Promise.allSettled([running])
    }
  } finally {
    await connection.close()
  }
}

/** Open runs move on to a new version: their recorded histories are replayed in the tests, and `patched` bridges changes. */
function versioned(buildId: string): WorkerDeploymentOptions {
  return {
    useWorkerVersioning: true,
    version: { deploymentName, buildId },
    defaultVersioningBehavior: 'AUTO_UPGRADE',
  }
}

let installed = false

/** The lines of the SDK's two halves go where all others go. `metricsAddress`: where the native half shows its metrics. */
export function installRuntime(metricsAddress?: string): void {
  if (installed) return
  installed = true
  const level = levelOf()
  const write = writer()
  Runtime.install({
    logger: new DefaultLogger(level, (entry) => {
      logLine(entry, write)
    }),
    // The SDK's own handlers swallow a signal that comes before there is a worker.
    shutdownSignals: [],
    telemetryOptions: {
      logging: { filter: { core: level, other: 'ERROR' }, forward: {} },
      ...(metricsAddress !== undefined && { metrics: { prometheus: { bindAddress: metricsAddress } } }),
    },
  })
}
