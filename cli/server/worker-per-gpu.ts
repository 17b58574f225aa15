import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { UserError } from '../../common/errors.ts'
import { logBegins } from '../../worker/worker-parent.mjs'
import type { Device } from '../../learning/tensorflow/device.ts'
import { refuseTaken } from '../../worker/endpoint.ts'
import { endpointOf } from './endpoint.ts'
import { chooseGpu, refuseWithoutDriver } from './gpu.ts'
import type { WorkerOptions } from './worker-options.ts'
import { printError } from '../output/print.ts'

/** One of several processes that work together. */
export interface Member {
  /** The name of the process in messages. */
  readonly name: string
  readonly args: readonly string[]
}

const command = fileURLToPath(new URL('../../infra/launch.mjs', import.meta.url))

/**
 * `zeroshift worker --gpus`: runs a worker process for each GPU. Throws a UserError before it
 * starts the first one.
 */
export async function workerPerGpu(gpus: string, device: Device, options: WorkerOptions): Promise<number> {
  const members = workersFor(gpus, device, options)
  refuseWithoutDriver()
  const { metricsPort, metricsHost } = options
  for (const i of members.keys()) {
    const endpoint = endpointOf(portAfter(metricsPort, i), metricsHost)
    if (endpoint) await refuseTaken(endpoint)
  }
  await logBegins()
  const ordered = new AbortController()
  onStopMessage(() => {
    ordered.abort()
  })
  return runMembers(command, members, ordered.signal)
}

/**
 * Returns the workers for a list of GPUs. Each gets all other options. Ports and ready files, which
 * cannot be shared, are numbered. Throws a UserError.
 */
export function workersFor(
  gpus: string,
  device: Device,
  { gpus: _, ...options }: WorkerOptions,
  env: NodeJS.ProcessEnv = process.env,
): readonly Member[] {
  if (options.gpu !== undefined)
    throw new UserError('--gpus: found with --gpu; expected one of them: --gpus for a worker each')
  if (device !== 'gpu')
    throw new UserError(`--gpus ${gpus}: this worker computes on the CPU; expected --device gpu with it`)
  const numbers = gpus.split(',').map((gpu) => gpu.trim())
  const chosen = numbers.map((gpu) => chooseGpu(gpu, env, '--gpus'))
  const twice = chosen.find((gpu, i) => chosen.indexOf(gpu) < i)
  if (twice !== undefined)
    throw new UserError(`--gpus: found GPU ${twice} twice in '${gpus}'; expected one worker a GPU`)
  const { metricsPort, metricsHost, readyFile } = options
  // Reports a mistake in the port by the name of its option.
  endpointOf(metricsPort, metricsHost, numbers.length)
  return numbers.map((gpu, i) => ({
    name: `the worker of GPU ${gpu}`,
    args: [
      'worker',
      ...asArguments({
        ...options,
        gpu,
        metricsPort: portAfter(metricsPort, i),
        readyFile: readyFile === undefined ? undefined : `${readyFile}.${i}`,
      }),
    ],
  }))
}

function portAfter(port: string | undefined, i: number): string | undefined {
  return port === undefined ? undefined : String(Number(port) + i)
}

function asArguments(
  options: Readonly<Record<string, string | true | readonly string[] | undefined>>,
): readonly string[] {
  return Object.entries(options).flatMap(([name, value = []]) => {
    const option = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    if (value === true) return [`--${option}`]
    return [value].flat().map((text) => `--${option}=${text}`)
  })
}

/**
 * Runs a module once for each member until all have ended. SIGINT, SIGTERM, `ordered` and a failing
 * member make all others end in order. A second signal kills them. Returns the first exit code
 * other than 0, or 0.
 */
export async function runMembers(
  module: string,
  members: readonly Member[],
  ordered?: AbortSignal,
): Promise<number> {
  let failed = 0
  let signals = 0
  const children = members.map(({ args }) => fork(module, args))
  // Uses a message, since a signal from a terminal also reaches the children, and a second one
  // would end them at once.
  const stop = () => {
    for (const child of children) if (child.connected) child.send('stop', () => undefined)
  }
  const onSignal = () => {
    if (signals++ > 0) for (const child of children) child.kill('SIGKILL')
    stop()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal)
  ordered?.addEventListener('abort', stop)
  await Promise.all(
    members.map(async ({ name }, i) => {
      const child = children[i]
      if (!child) return
      const { code, how } = await exitOf(child)
      if (code === 0) return
      if (failed === 0 && signals === 0) printError(`${name} ended on its own (${how}); the others end now`)
      if (failed === 0) failed = code
      stop()
    }),
  )
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal)
  return failed
}

async function exitOf(child: ChildProcess): Promise<{ readonly code: number; readonly how: string }> {
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    if (signal) return { code: 128 + constants.signals[signal], how: signal }
    return { code: code ?? 1, how: `exit code ${code}` }
  } catch (error) {
    return { code: 1, how: String(error) }
  }
}

/** Calls `stop` when the parent process sends the message to stop, or has ended. */
export function onStopMessage(stop: () => void): void {
  if (!process.send) return
  process.on('message', (word) => {
    if (word === 'stop') stop()
  })
  process.once('disconnect', stop)
  // The channel alone does not keep the process running.
  process.channel?.unref()
  if (!process.connected) stop()
}
