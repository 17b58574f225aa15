import { rmSync, writeFileSync } from 'node:fs'
import { allowsPrograms } from '../../activities/runtime/allowed-programs.ts'
import { allowedPrefixes, refuseElsewhere } from '../../activities/runtime/allowed-places.ts'
import { UserError } from '../../common/errors.ts'
import { logBegins } from '../../worker/worker-parent.mjs'
import { deploymentName, queues, type Queue } from '../../workflows/names.ts'
import { type Device, deviceNamed } from '../../learning/tensorflow/device.ts'
import { refuseTaken } from '../../worker/endpoint.ts'
import { runWorker } from '../../worker/worker.ts'
import { endpointOf } from '../server/endpoint.ts'
import { duration } from '../output/format.ts'
import { chooseGpu, refuseWithoutGpu } from '../server/gpu.ts'
import { runningStack } from '../workspace/workspace.ts'
import { print, printProblem } from '../output/print.ts'
import { wholeNumber } from '../options/whole-number.ts'
import { connectionSettings } from '../server/temporal.ts'
import { onStopMessage, workerPerGpu } from '../server/worker-per-gpu.ts'
import type { WorkerOptions } from '../server/worker-options.ts'
import { refuseWorkerSettings } from '../server/worker-settings.ts'

/** A worker may be started before its server. */
const CONNECT_SECONDS = 300

/**
 * `zeroshift worker`: works until SIGINT or SIGTERM, which end it in order, or until it was idle
 * for `--exit-when-idle`.
 */
export async function worker(options: WorkerOptions): Promise<number> {
  const {
    queue = queues,
    gpu,
    gpus,
    buildId,
    exitWhenIdle,
    readyFile,
    metricsPort,
    metricsHost,
    temporal,
  } = options
  const { allowStore: stores, allowSource: sources, allowTracking: tracking } = options
  const served = queue.map(queueNamed)
  const idleSeconds = exitWhenIdle === undefined ? undefined : wholeNumber('--exit-when-idle', exitWhenIdle)
  if (idleSeconds !== undefined && served.some((name) => name !== 'zeroshift-train'))
    throw new UserError(
      `--exit-when-idle: this worker serves ${served.join(', ')}, and runs need it while they only wait; ` +
        'expected --queue zeroshift-train and no other',
    )
  const allowed = allowedPrefixes({ stores, sources, tracking })
  // Reports mistakes in the options and in the environment before it waits for a server.
  refuseElsewhere(allowed)
  refuseWorkerSettings()
  const external = options.allowExternal ?? allowsPrograms(false)
  const device = deviceOf(options.device)
  const address = temporal ?? process.env.TEMPORAL_ADDRESS ?? runningStack()?.address ?? '127.0.0.1:7233'
  const settings = connectionSettings(address)
  if (gpus !== undefined) return workerPerGpu(gpus, device, options)
  compute(device, gpu)
  const endpoint = endpointOf(metricsPort, metricsHost)
  const stop = new AbortController()
  const notReady = () => {
    if (readyFile !== undefined) rmSync(readyFile, { force: true })
  }
  let works = false
  onStopMessage(() => {
    stop.abort()
    // The process has taken no task yet, so it may end at once.
    if (!works) process.exit(0)
  })
  // The refusal is text, so it comes before the log, whose lines may be JSON.
  if (endpoint) await refuseTaken(endpoint)
  await logBegins()
  print(`connecting to Temporal at ${address}${settings.tls ? ' by TLS' : ''}`)
  try {
    await runWorker({
      ...settings,
      queues: served,
      allowed,
      allowsPrograms: external,
      ...(buildId !== undefined && { buildId }),
      ...(idleSeconds !== undefined && { idleSeconds }),
      ...(endpoint && { endpoint }),
      connectSeconds: CONNECT_SECONDS,
      onWait: (reason, secondsLeft) => {
        print(
          `no connection to Temporal at ${address} yet: ${reason}. It is tried again for ${duration(secondsLeft)}`,
        )
      },
      signal: stop.signal,
      onReady: () => {
        works = true
        if (readyFile !== undefined) writeFileSync(readyFile, '')
        print(`working for ${served.join(', ')}`)
        if (buildId !== undefined)
          print(
            `Runs come here once this version is the current one: temporal worker deployment set-current-version --address ${address} ` +
              `--deployment-name ${deploymentName} --build-id ${buildId}`,
          )
      },
    })
  } catch (error) {
    printProblem(error)
    notReady()
    // The SDK's native half keeps a process alive in which no worker has started, and takes its
    // signals.
    process.exit(error instanceof UserError ? 2 : 1)
  }
  notReady()
  return 0
}

/**
 * Sets the device in the environment, from which TensorFlow reads it with a worker's first stage.
 */
function deviceOf(option: string | undefined): Device {
  const device =
    option === undefined ? deviceNamed(process.env.ZEROSHIFT_DEVICE) : deviceNamed(option, '--device')
  process.env.ZEROSHIFT_DEVICE = device
  return device
}

/** Makes this process compute on the device. Throws a UserError if it cannot. */
function compute(device: Device, gpu: string | undefined): void {
  if (gpu !== undefined) {
    if (device !== 'gpu')
      throw new UserError(`--gpu ${gpu}: this worker computes on the CPU; expected --device gpu with it`)
    process.env.CUDA_VISIBLE_DEVICES = chooseGpu(gpu)
  }
  if (device === 'gpu') refuseWithoutGpu()
}

function queueNamed(name: string): Queue {
  const queue = queues.find((known) => known === name)
  if (!queue)
    throw new UserError(`--queue: there is no queue '${name}'; expected one of ${queues.join(', ')}`)
  return queue
}
