import { threads } from './node-compat.ts'
import type { Environment } from '../experiment/manifest.ts'

/**
 * The one place that decides the backend: TensorFlow's native library, on a GPU where there is one, on the CPU
 * elsewhere. There is no JavaScript fallback: it would be a hundred times slower and give other bytes.
 */
export const tf = await loadTensorFlow()

async function loadTensorFlow() {
  try {
    return await import('@tensorflow/tfjs-node-gpu')
  } catch (cause) {
    throw new Error(
      'TensorFlow\'s native library could not be loaded. Run "node infra/bootstrap.mjs" in the project to build it; ' +
        `"./zeroshift doctor" says what is missing. (${cause instanceof Error ? cause.message : String(cause)})`,
      { cause },
    )
  }
}

interface TensorFlowBackend {
  readonly isUsingGpuDevice: boolean
  readonly binding: { readonly TF_Version: string }
}

/** What a manifest says of the device. */
export function tensorflowEnvironment(): NonNullable<Environment['tensorflow']> {
  const backend = tf.backend() as unknown as TensorFlowBackend
  return { version: backend.binding.TF_Version, device: backend.isUsingGpuDevice ? 'GPU' : 'CPU', threads }
}
