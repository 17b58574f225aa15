import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import type { TensorFlowEnvironment } from '../experiment/manifest.ts'
import type { Device } from '../learning/device.ts'

export type TensorFlowHere = TensorFlowEnvironment & {
  /** Of the GPU, that TensorFlow may take; in MB. */
  readonly memory?: number
}

const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

/**
 * TensorFlow as a worker on the device would load it; throws with what is wrong. In a process of its own: the library writes
 * start-up notes to standard error that no setting of its own silences, and only there it says which of CUDA's libraries it misses.
 */
export function tensorflowHere(device: Device): TensorFlowHere {
  const url = new URL('../learning/tf.ts', import.meta.url).href
  const script = `const { tensorflowEnvironment } = await import('${url}'); console.log(JSON.stringify(tensorflowEnvironment()))`
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--import', tsx, '--input-type=module', '--eval', script],
    {
      encoding: 'utf8',
      env: {
        ...process.env,
        ZEROSHIFT_DEVICE: device,
        ...(device === 'gpu' && {
          TF_CPP_MIN_LOG_LEVEL: '0',
          TF_CPP_VMODULE: 'dso_loader=1,dlopen_checker=1',
        }),
      },
    },
  )
  if (status !== 0) {
    const error = /^(?:\w*Error): (.*)$/m.exec(stderr)?.[1] ?? stderr.trim()
    throw new Error([error, ...whyNoGpu(stderr)].join('; '))
  }
  const memory = /Created device .*GPU:0 with (\d+) MB memory/.exec(stderr)?.[1]
  return {
    ...(JSON.parse(stdout) as TensorFlowEnvironment),
    ...(memory !== undefined && { memory: Number(memory) }),
  }
}

/** The reasons that TensorFlow's log has for seeing no GPU: libraries that were not found, and what the driver answered. */
export function whyNoGpu(log: string): readonly string[] {
  const libraries = [...log.matchAll(/Could not load dynamic library '([^']+)'/g)].map(
    ([, library]) => library,
  )
  const driver = /failed call to cuInit: (.*)/.exec(log)?.[1]
  return [
    ...(libraries.length > 0 ? [`not found: ${[...new Set(libraries)].join(', ')}`] : []),
    ...(driver === undefined ? [] : [`the driver answers: ${driver.trim()}`]),
  ]
}
