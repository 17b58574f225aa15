import { rmSync, writeFileSync } from 'node:fs'
import { allowedPrefixes, refuseElsewhere } from '../activities/allowed-places.ts'
import { UserError } from '../experiment/errors.ts'
import { deploymentName, queues, type Queue } from '../workflows/names.ts'
import { deviceNamed } from '../learning/device.ts'
import { runWorker } from '../worker/worker.ts'
import { endpointOf } from './endpoint.ts'
import { chooseGpu, refuseWithoutGpu } from './gpu.ts'
import { runningStack } from './place.ts'
import { wholeNumber } from './whole-number.ts'
import { settingsOf } from './temporal.ts'

export interface WorkerOptions {
  readonly queue?: readonly string[]
  readonly device?: string
  /** Which GPU, counted from 0. */
  readonly gpu?: string
  readonly buildId?: string
  readonly exitWhenIdle?: string
  readonly readyFile?: string
  readonly metricsPort?: string
  readonly metricsHost?: string
  readonly temporal?: string
  readonly allowStore?: readonly string[]
  readonly allowSource?: readonly string[]
  readonly allowTracking?: readonly string[]
}

/** A worker may be started before its server. */
const CONNECT_SECONDS = 300

/** `zeroshift worker`: until SIGINT or SIGTERM, which end it in order, or for as long as there is something to do. */
export async function worker({
  queue = queues,
  device,
  gpu,
  buildId,
  exitWhenIdle,
  readyFile,
  metricsPort,
  metricsHost,
  temporal,
  allowStore: stores,
  allowSource: sources,
  allowTracking: tracking,
}: WorkerOptions): Promise<number> {
  const served = queue.map(queueNamed)
  const idleSeconds = exitWhenIdle === undefined ? undefined : wholeNumber('--exit-when-idle', exitWhenIdle)
  if (idleSeconds !== undefined && served.some((name) => name !== 'zeroshift-train'))
    throw new UserError(
      `--exit-when-idle: this worker serves ${served.join(', ')}, and runs need it while they only wait; ` +
        'expected --queue zeroshift-train and no other',
    )
  const allowed = allowedPrefixes({ stores, sources, tracking })
  // A mistake in them is told before a server is waited for.
  refuseElsewhere(allowed)
  compute(device, gpu)
  const endpoint = endpointOf(metricsPort, metricsHost)
  const address = temporal ?? process.env.TEMPORAL_ADDRESS ?? runningStack()?.address ?? '127.0.0.1:7233'
  const settings = settingsOf(address)
  console.log(`connecting to Temporal at ${address}${settings.tls ? ' by TLS' : ''}`)
  try {
    await runWorker({
      ...settings,
      queues: served,
      allowed,
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

/** Has this process compute on the device; TensorFlow, which it loads with its first stage, reads the environment. */
function compute(device: string | undefined, gpu: string | undefined): void {
  const named =
    device === undefined ? deviceNamed(process.env.ZEROSHIFT_DEVICE) : deviceNamed(device, '--device')
  process.env.ZEROSHIFT_DEVICE = named
  if (gpu !== undefined) {
    if (named !== 'gpu')
      throw new UserError(`--gpu ${gpu}: this worker computes on the CPU; expected --device gpu with it`)
    process.env.CUDA_VISIBLE_DEVICES = chooseGpu(gpu)
  }
  if (named === 'gpu') refuseWithoutGpu()
}

function queueNamed(name: string): Queue {
  const queue = queues.find((known) => known === name)
  if (!queue)
    throw new UserError(`--queue: there is no queue '${name}'; expected one of ${queues.join(', ')}`)
  return queue
}
