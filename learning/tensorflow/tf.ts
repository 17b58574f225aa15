import { oneDnn, threads } from './node-compat.ts'
import type { Environment } from '../../experiment/records/manifest.ts'
import { deviceNamed, deviceSettings, gpuName, graphSetting } from './device.ts'

/**
 * TensorFlow's native library. This is the only place that chooses the backend: the CPU, or a GPU
 * with ZEROSHIFT_DEVICE=gpu. There is no JavaScript fallback, which would be about a hundred times
 * slower and give different bytes.
 */
export const tf: typeof import('@tensorflow/tfjs-node-gpu') = await loadTensorFlow()

async function loadTensorFlow() {
  const device = deviceNamed(process.env.ZEROSHIFT_DEVICE)
  graphSetting(process.env.ZEROSHIFT_GRAPHS)
  Object.assign(process.env, deviceSettings(device, process.env))
  const loaded = await load()
  // TensorFlow falls back to the CPU silently.
  if (device === 'gpu' && !backendOf(loaded).isUsingGpuDevice)
    throw new Error(
      'TensorFlow sees no GPU, and was asked for one; "./zeroshift doctor --device gpu" says why',
    )
  return loaded
}

async function load() {
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

function backendOf(loaded: { readonly backend: () => unknown }): TensorFlowBackend {
  return loaded.backend() as TensorFlowBackend
}

/** The device, TensorFlow's version and its settings, as manifests record them. */
export function tensorflowEnvironment(): NonNullable<Environment['tensorflow']> {
  const { binding, isUsingGpuDevice } = backendOf(tf)
  const version = binding.TF_Version
  return isUsingGpuDevice
    ? { version, device: 'GPU', gpu: gpuName(), threads }
    : { version, device: 'CPU', threads, oneDnn }
}
