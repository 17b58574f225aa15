import type { Tensor, Tensor2D } from '@tensorflow/tfjs'
import type { Layer } from '../../experiment/models/layers.ts'
import type { DeviceData } from '../data/device-data.ts'
import { Compiled } from '../graph/compiled.ts'
import type { Host } from '../training/host.ts'
import { microBatchSize } from '../training/micro-batches.ts'
import { forward } from './forward.ts'
import type { NamedTensors } from './parameters.ts'
import { tf } from '../tensorflow/tf.ts'

/** Outputs of the frozen model for some samples, kept on the device. Each tensor is [n, ...]. */
export interface FrozenFeatures {
  /** The input of layer `from`. */
  readonly input: Tensor
  /** f_l by layer name. */
  readonly features: NamedTensors
}

const BATCH = 256

/**
 * Computes `run` for the samples at `indices`, batch by batch, while the next batch is read.
 * images: [batch, h, w, c]. Returns the results of `run`, concatenated to [n, ...] by name. The
 * caller disposes of them.
 */
export async function inBatches(
  data: DeviceData,
  indices: Int32Array,
  run: (images: Tensor) => NamedTensors,
  host?: Host,
): Promise<NamedTensors> {
  const parts: NamedTensors[] = []
  const size = microBatchSize(BATCH, host)
  const graphs = new Compiled(Math.ceil(indices.length / size))
  try {
    for (let first = 0; first < indices.length; first += size) {
      const compute = () => {
        const images = data.images(indices.subarray(first, first + size))
        data.prefetch(indices.subarray(first + size, first + 2 * size))
        return run(images)
      }
      parts.push(graphs.run(() => tf.tidy(compute)))
      await host?.step({})
    }
  } finally {
    graphs.dispose()
  }
  const names = Object.keys(parts[0] ?? {})
  const joined = names.map((name) => [name, tf.concat(parts.map((part) => part[name] as Tensor))] as const)
  tf.dispose(parts)
  return Object.fromEntries(joined)
}

/** The outputs of the layers in `capture`, in that order, from an input of layer `from`. */
export function captured(
  layers: readonly Layer[],
  parameters: NamedTensors,
  input: Tensor,
  { capture, ...range }: { from?: number; to?: number; capture: ReadonlySet<string> },
): NamedTensors {
  const { features } = forward(layers, parameters, input, { ...range, capture })
  return Object.fromEntries([...capture].map((name) => [name, features[name] as Tensor]))
}

/** Runs the frozen model once over the samples at `indices`, up to layer `to` (exclusive). */
export async function frozenFeatures(
  layers: readonly Layer[],
  base: NamedTensors,
  data: DeviceData,
  indices: Int32Array,
  {
    from,
    to = layers.length,
    capture,
    host,
  }: { from: number; to?: number; capture: ReadonlySet<string>; host?: Host | undefined },
): Promise<FrozenFeatures> {
  const run = (images: Tensor) => {
    const input = forward(layers, base, images, { to: from }).output
    // No layer has an empty name.
    return { '': input, ...captured(layers, base, input, { from, to, capture }) }
  }
  const { '': input, ...features } = await inBatches(data, indices, run, host)
  return { input: input as Tensor, features }
}

/**
 * The inputs of the last layer for the samples at `indices`, [n, d]. The caller disposes of them.
 */
export async function penultimateFeatures(
  layers: readonly Layer[],
  base: NamedTensors,
  data: DeviceData,
  indices: Int32Array,
  host?: Host,
): Promise<Tensor2D> {
  const run = (images: Tensor) => ({ last: forward(layers, base, images, { to: layers.length - 1 }).output })
  const { last } = await inBatches(data, indices, run, host)
  return last as Tensor2D
}
