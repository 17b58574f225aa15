import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../common/errors.ts'

export const devices = ['cpu', 'gpu'] as const
export type Device = (typeof devices)[number]

/** What ZEROSHIFT_DEVICE, or an option, names; the CPU where it names nothing. */
export function deviceNamed(name: string | undefined, where = 'ZEROSHIFT_DEVICE'): Device {
  if (name === undefined || name === '') return 'cpu'
  const device = devices.find((known) => known === name)
  if (device) return device
  throw new UserError(`${where}: there is no device '${name}'; expected one of ${devices.join(', ')}`)
}

export const graphSettings = ['auto', 'always', 'never'] as const
export type GraphSetting = (typeof graphSettings)[number]

/** When computations are compiled to graphs: ZEROSHIFT_GRAPHS, or `never`. Throws a UserError. */
export function graphSetting(name: string | undefined): GraphSetting {
  if (name === undefined || name === '') return 'never'
  const setting = graphSettings.find((known) => known === name)
  if (setting) return setting
  throw new UserError(`ZEROSHIFT_GRAPHS is '${name}'; expected one of ${graphSettings.join(', ')}`)
}

/**
 * What TensorFlow and CUDA read when they are loaded, for a process that computes on the device: on no GPU, or on the first of those that
 * it may see and no other. What the user has set stands.
 */
export function deviceSettings(device: Device, env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  // A library with CUDA would take whatever GPU it finds, and give other bytes.
  if (device === 'cpu') return { CUDA_VISIBLE_DEVICES: '-1' }
  return {
    // As nvidia-smi counts them.
    CUDA_DEVICE_ORDER: env.CUDA_DEVICE_ORDER ?? 'PCI_BUS_ID',
    CUDA_VISIBLE_DEVICES: visibleGpus(env)[0] ?? '0',
    // Otherwise the process takes all of the GPU's memory at its start.
    TF_FORCE_GPU_ALLOW_GROWTH: env.TF_FORCE_GPU_ALLOW_GROWTH ?? 'true',
    // Sums in one order: the same bytes every time.
    TF_DETERMINISTIC_OPS: env.TF_DETERMINISTIC_OPS ?? '1',
  }
}

/** The GPUs that CUDA_VISIBLE_DEVICES leaves to this process, by number or UUID; empty where it says nothing. */
export function visibleGpus({ CUDA_VISIBLE_DEVICES: visible = '' }: NodeJS.ProcessEnv): readonly string[] {
  return visible
    .split(',')
    .map((gpu) => gpu.trim())
    .filter((gpu) => gpu !== '')
}

let name: string | undefined

/** The model of the GPU in use, such as NVIDIA H100 80GB HBM3. Asks the driver once. */
export function gpuName(): string {
  return (name ??= fromSmi() ?? fromDriver(DRIVER_GPUS) ?? 'unknown GPU')
}

function fromSmi(): string | undefined {
  const { status, stdout } = spawnSync(
    'nvidia-smi',
    ['--query-gpu=name', '--format=csv,noheader', `--id=${visibleGpus(process.env)[0] ?? '0'}`],
    { encoding: 'utf8', timeout: 20_000 },
  )
  const [line = ''] = status === 0 ? stdout.split('\n') : []
  return line.trim() || undefined
}

const DRIVER_GPUS = '/proc/driver/nvidia/gpus'

/** What the driver says of its first GPU, where there is no nvidia-smi. */
export function fromDriver(folder: string): string | undefined {
  try {
    const [first = ''] = readdirSync(folder).sort()
    return /^Model:\s*(.+?)\s*$/m.exec(readFileSync(join(folder, first, 'information'), 'utf8'))?.[1]
  } catch {
    return undefined
  }
}
