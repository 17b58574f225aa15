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
  /** The places that tasks may use. Taken from the environment unless given. */
  readonly allowed?: AllowedPrefixes
  /** Whether the worker executes external programs. It does not unless given. */
  readonly allowsPrograms?: boolean
  /**
   * Registers the worker as this version of the deployment `zeroshift`. Temporal gives runs to the
   * current version.
   */
  readonly buildId?: string
  /** How long to try to reach a server that does not answer yet. */
  readonly connectSeconds?: number
  /**
   * Is called once for each reason why the server cannot be reached, with the seconds that are
   * left.
   */
  readonly onWait?: (reason: string, secondsLeft: number) => void
  /**
   * Stops the worker once it has had no activity for this long. Its parent then starts another one
   * when there is new work.
   */
  readonly idleSeconds?: number
  /**
   * Stops the worker when it aborts: the worker takes no new work, and running activities hand over
   * within the grace time.
   */
  readonly signal?: AbortSignal
  /**
   * The address for `/metrics`, `/healthz` and `/readyz`. They are not served unless it is given.
   */
  readonly endpoint?: EndpointOptions
  readonly onReady?: () => void
}

/**
 * The time that activities have to end after the worker was told to stop. An orchestrator must wait
 * for longer.
 */
export const GRACE_SECONDS = 5
const shutdownSignals = ['SIGINT', 'SIGTERM'] as const

/**
 * Works on the queues until `signal`, SIGINT or SIGTERM stops the worker, or it has been idle for
 * long enough.
 */
export async function runWorker(settings: WorkerSettings): Promise<void> {
  const telemetry = await startTelemetry(settings.endpoint)
  try {
    await serve(settings, telemetry)
  } finally {
    await telemetry.close()
  }
}

async function serve(
  {
    queues: taskQueues = queues,
    activities,
    allowed,
    allowsPrograms = false,
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
  // Errors in the environment are found before the native part starts, which would keep the process
  // alive.
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
          allowsPrograms,
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
          // After a worker dies, another one continues its workflows after this time.
          stickyQueueScheduleToStartTimeout: '2s',
          ...(taskQueue === 'zeroshift'
            ? {
                ...(bundle && { workflowBundle: bundle }),
                maxConcurrentActivityTaskExecutions: 4,
                // If the workflow's code was changed incompatibly, the run fails and can be started
                // again, instead of waiting forever.
                workflowFailureErrorTypes: { '*': ['Error'] },
              }
            : { maxConcurrentActivityTaskExecutions: 1 }),
        }),
      ),
    )
    const stop = () => {
      // Long stages save a checkpoint and hand over, well within the grace time.
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
      // If one worker fails, the other one must be stopped as well.
      stop()
      await Promise.allSettled([running])
    }
  } finally {
    await connection.close()
  }
}

/**
 * The options of a versioned worker. Open runs continue on a new version: tests replay histories of
 * older versions, and `patched` keeps them compatible.
 */
function versioned(buildId: string): WorkerDeploymentOptions {
  return {
    useWorkerVersioning: true,
    version: { deploymentName, buildId },
    defaultVersioningBehavior: 'AUTO_UPGRADE',
  }
}

let installed = false

/**
 * Makes the SDK and its native part write to the worker's log. `metricsAddress` is the address at
 * which the native part serves its metrics.
 */
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
