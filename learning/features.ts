import type { Tensor, Tensor2D } from '@tensorflow/tfjs'
import type { Layer } from '../experiment/model.ts'
import type { DeviceData } from './data.ts'
import type { Host } from './host.ts'
import { atATime } from './in-parts.ts'
import { forward } from './model.ts'
import type { NamedTensors } from './parameters.ts'
import { tf } from './tf.ts'

/** What the frozen model makes of some samples, kept on the device: each tensor is [n, ...]. */
export interface FrozenFeatures {
  /** The input of layer `from`. */
  readonly input: Tensor
  /** f_l, by layer name. */
  readonly features: NamedTensors
}

const BATCH = 256

/**
 * What `run` makes of the samples at `indices`, a batch at a time while the next one is read: tensors [n, ...], the
 * caller's to dispose of. images: [batch, height, width, channels].
 */
export async function inBatches(
  data: DeviceData,
  indices: Int32Array,
  run: (images: Tensor) => readonly Tensor[],
  host?: Host,
): Promise<readonly Tensor[]> {
  const parts: Tensor[][] = []
  const size = atATime(BATCH, host)
  for (let first = 0; first < indices.length; first += size) {
    parts.push(
      tf.tidy(() => {
        const images = data.images(indices.subarray(first, first + size))
        data.ahead(indices.subarray(first + size, first + 2 * size))
        return [...run(images)]
      }),
    )
    await host?.step({})
  }
  const joined = (parts[0] ?? []).map((_, i) => tf.concat(parts.map((part) => part[i] as Tensor)))
  tf.dispose(parts)
  return joined
}

/** Runs the frozen model once over the samples at `indices`, up to (not including) layer `to`. */
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
  const names = [...capture]
  const run = (images: Tensor) => {
    const input = forward(layers, base, images, { to: from }).output
    const { features } = forward(layers, base, input, { from, to, capture })
    return [input, ...names.map((name) => features[name] as Tensor)]
  }
  const [input, ...features] = (await inBatches(data, indices, run, host)) as [Tensor, ...Tensor[]]
  return { input, features: Object.fromEntries(names.map((name, i) => [name, features[i] as Tensor])) }
}

/** What the last layer classifies, of each of the samples at `indices`: [n, d], the caller's to dispose of. */
export async function penultimateFeatures(
  layers: readonly Layer[],
  base: NamedTensors,
  data: DeviceData,
  indices: Int32Array,
  host?: Host,
): Promise<Tensor2D> {
  const last = layers.length - 1
  const { input } = await frozenFeatures(layers, base, data, indices, {
    from: last,
    to: last,
    capture: new Set(),
    host,
  })
  return input as Tensor2D
}
