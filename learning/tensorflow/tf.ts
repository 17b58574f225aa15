import { oneDnn, threads } from './node-compat.ts'
import type { Environment } from '../../experiment/records/manifest.ts'
import { deviceNamed, deviceSettings, gpuName, graphSetting } from './device.ts'

/**
 * The one place that decides the backend: TensorFlow's native library, on the CPU, or on a GPU where ZEROSHIFT_DEVICE asks for
 * one. There is no JavaScript fallback: it would be a hundred times slower and give other bytes.
 */
export const tf = await loadTensorFlow()

async function loadTensorFlow() {
  const device = deviceNamed(process.env.ZEROSHIFT_DEVICE)
  graphSetting(process.env.ZEROSHIFT_GRAPHS)
  Object.assign(process.env, deviceSettings(device, process.env))
  const loaded = await load()
  // TensorFlow falls back to the CPU without a word.
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

/** What a manifest says of the device. */
export function tensorflowEnvironment(): NonNullable<Environment['tensorflow']> {
  const { binding, isUsingGpuDevice } = backendOf(tf)
  const version = binding.TF_Version
  return isUsingGpuDevice
    ? { version, device: 'GPU', gpu: gpuName(), threads }
    : { version, device: 'CPU', threads, oneDnn }
}
