import { rmSync, writeFileSync } from 'node:fs'
import { UserError } from '../experiment/errors.ts'
import { deploymentName, queues, type Queue } from '../workflows/names.ts'
import type { EndpointOptions } from '../worker/endpoint.ts'
import { runWorker } from '../worker/worker.ts'
import { runningStack } from './place.ts'
import { wholeNumber } from './whole-number.ts'

export interface WorkerOptions {
  readonly queue?: readonly string[]
  readonly buildId?: string
  readonly exitWhenIdle?: string
  readonly readyFile?: string
  readonly metricsPort?: string
  readonly metricsHost?: string
  readonly temporal?: string
}

/** A worker may be started before its server. */
const CONNECT_SECONDS = 300

/** `zeroshift worker`: until SIGINT or SIGTERM, which end it in order, or for as long as there is something to do. */
export async function worker({
  queue = queues,
  buildId,
  exitWhenIdle,
  readyFile,
  metricsPort,
  metricsHost,
  temporal,
}: WorkerOptions): Promise<number> {
  const served = queue.map(queueNamed)
  const idleSeconds = exitWhenIdle === undefined ? undefined : wholeNumber('--exit-when-idle', exitWhenIdle)
  if (idleSeconds !== undefined && served.some((name) => name !== 'zeroshift-train'))
    throw new UserError(
      `--exit-when-idle: this worker serves ${served.join(', ')}, and runs need it while they only wait; ` +
        'expected --queue zeroshift-train and no other',
    )
  const endpoint = endpointOf(metricsPort, metricsHost)
  const address = temporal ?? process.env.TEMPORAL_ADDRESS ?? runningStack()?.address ?? '127.0.0.1:7233'
  console.log(`connecting to Temporal at ${address}`)
  try {
    await runWorker({
      address,
      queues: served,
      ...(buildId !== undefined && { buildId }),
      ...(idleSeconds !== undefined && { idleSeconds }),
      ...(endpoint && { endpoint }),
      connectSeconds: CONNECT_SECONDS,
      onReady: () => {
        if (readyFile !== undefined) writeFileSync(readyFile, '')
        console.log(`working for ${served.join(', ')}`)
        if (buildId !== undefined)
          console.log(
            `Runs come here once this version is the current one: temporal worker deployment set-current-version --address ${address} ` +
              `--deployment-name ${deploymentName} --build-id ${buildId}`,
          )
      },
    })
  } finally {
    if (readyFile !== undefined) rmSync(readyFile, { force: true })
  }
  return 0
}

/** Where the worker shows its metrics: to this machine alone unless told otherwise. */
function endpointOf(port: string | undefined, host: string | undefined): EndpointOptions | undefined {
  if (port === undefined) {
    if (host === undefined) return undefined
    throw new UserError('--metrics-host: found without --metrics-port; expected both')
  }
  return { host: host ?? '127.0.0.1', port: wholeNumber('--metrics-port', port, 65_535) }
}

function queueNamed(name: string): Queue {
  const queue = queues.find((known) => known === name)
  if (!queue)
    throw new UserError(`--queue: there is no queue '${name}'; expected one of ${queues.join(', ')}`)
  return queue
}
