import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../common/errors.ts'

export const devices = ['cpu', 'gpu'] as const
export type Device = (typeof devices)[number]

/**
 * The device that ZEROSHIFT_DEVICE or an option names; `cpu` if it is unset or empty. Throws a
 * UserError.
 */
export function deviceNamed(name: string | undefined, where = 'ZEROSHIFT_DEVICE'): Device {
  if (name === undefined || name === '') return 'cpu'
  const device = devices.find((known) => known === name)
  if (device) return device
  throw new UserError(`${where}: there is no device '${name}'; expected one of ${devices.join(', ')}`)
}

const graphSettings = ['auto', 'always', 'never'] as const
export type GraphSetting = (typeof graphSettings)[number]

/**
 * When computations are compiled to graphs, from ZEROSHIFT_GRAPHS; `auto` if it is unset. Throws a
 * UserError.
 */
export function graphSetting(name: string | undefined): GraphSetting {
  if (name === undefined || name === '') return 'auto'
  const setting = graphSettings.find((known) => known === name)
  if (setting) return setting
  throw new UserError(`ZEROSHIFT_GRAPHS is '${name}'; expected one of ${graphSettings.join(', ')}`)
}

/**
 * The environment variables with which TensorFlow and CUDA are loaded. A `cpu` process sees no GPU.
 * A `gpu` process sees only the first of its visible GPUs. Variables that the user has set are
 * kept.
 */
export function deviceSettings(device: Device, env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  // TensorFlow with CUDA would otherwise use any GPU and give different bytes.
  if (device === 'cpu') return { CUDA_VISIBLE_DEVICES: '-1' }
  return {
    // The order in which nvidia-smi numbers GPUs.
    CUDA_DEVICE_ORDER: env.CUDA_DEVICE_ORDER ?? 'PCI_BUS_ID',
    CUDA_VISIBLE_DEVICES: visibleGpus(env)[0] ?? '0',
    // Otherwise the process reserves all of the GPU's memory when it starts.
    TF_FORCE_GPU_ALLOW_GROWTH: env.TF_FORCE_GPU_ALLOW_GROWTH ?? 'true',
    // Sums are computed in a fixed order, so the bytes are the same every time.
    TF_DETERMINISTIC_OPS: env.TF_DETERMINISTIC_OPS ?? '1',
  }
}

/** The GPUs in CUDA_VISIBLE_DEVICES, by number or UUID; empty if the variable is not set. */
export function visibleGpus({ CUDA_VISIBLE_DEVICES: visible = '' }: NodeJS.ProcessEnv): readonly string[] {
  return visible
    .split(',')
    .map((gpu) => gpu.trim())
    .filter((gpu) => gpu !== '')
}

let name: string | undefined

/** The model of the GPU in use, such as NVIDIA H100 80GB HBM3. The driver is queried once. */
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

/** The model of the first GPU from the driver's files. Used where nvidia-smi is missing. */
export function fromDriver(folder: string): string | undefined {
  try {
    const [first = ''] = readdirSync(folder).sort()
    return /^Model:\s*(.+?)\s*$/m.exec(readFileSync(join(folder, first, 'information'), 'utf8'))?.[1]
  } catch {
    return undefined
  }
}
