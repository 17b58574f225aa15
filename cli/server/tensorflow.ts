import { spawnSync } from 'node:child_process'
import type { TensorFlowEnvironment } from '../../experiment/records/manifest.ts'
import type { Device } from '../../learning/tensorflow/device.ts'

export type TensorFlowHere = TensorFlowEnvironment & {
  /** The memory of the GPU that TensorFlow may use, in MB. */
  readonly memory?: number
}

const compiled = new URL('../../infra/compiled.mjs', import.meta.url).href

/**
 * Loads TensorFlow as a worker on this device would. Throws an Error with the reason if that fails.
 * TensorFlow runs in a child process: no setting silences the library's start-up notes on standard
 * error, and only these notes name missing CUDA libraries.
 */
export function tensorflowHere(device: Device): TensorFlowHere {
  const script = `const { load } = await import('${compiled}')
const { tensorflowEnvironment } = await load('learning/tensorflow/tf.ts')
console.log(JSON.stringify(tensorflowEnvironment()))`
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
    env: {
      ...process.env,
      ZEROSHIFT_DEVICE: device,
      ...(device === 'gpu' && {
        TF_CPP_MIN_LOG_LEVEL: '0',
        TF_CPP_VMODULE: 'dso_loader=1,dlopen_checker=1',
      }),
    },
  })
  if (status !== 0) {
    const why = device === 'gpu' ? whyNoGpu(stderr) : undefined
    if (why !== undefined) throw new Error(`TensorFlow sees no GPU: ${why}`)
    throw new Error(/^(?:\w*Error): (.*)$/m.exec(stderr)?.[1] ?? stderr.trim())
  }
  const memory = /Created device .*GPU:0 with (\d+) MB memory/.exec(stderr)?.[1]
  return {
    ...(JSON.parse(stdout) as TensorFlowEnvironment),
    ...(memory !== undefined && { memory: Number(memory) }),
  }
}

/**
 * Returns the reason why TensorFlow found no GPU, from its log: missing libraries, or the driver's
 * answer.
 */
export function whyNoGpu(log: string): string | undefined {
  const libraries = [...log.matchAll(/Could not load dynamic library '([^']+)'/g)].map(
    ([, library]) => library,
  )
  if (libraries.length > 0) return `it did not find ${[...new Set(libraries)].join(', ')}`
  const answer = /failed call to cuInit: (?:.*Failed call to cuInit: )?(.*)/.exec(log)?.[1]
  return answer === undefined ? undefined : `the driver answers ${answer.trim()}`
}
