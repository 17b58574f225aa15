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
  const parts: FrozenFeatures[] = []
  const size = atATime(BATCH, host)
  for (let first = 0; first < indices.length; first += size) {
    const batch = indices.subarray(first, first + size)
    parts.push(
      tf.tidy(() => {
        const images = data.images(batch)
        data.ahead(indices.subarray(first + size, first + 2 * size))
        const input = forward(layers, base, images, { to: from }).output
        return { input, features: forward(layers, base, input, { from, to, capture }).features }
      }),
    )
    await host?.step({})
  }
  const joined = (tensorOf: (part: FrozenFeatures) => Tensor) => {
    const tensors = parts.map(tensorOf)
    const whole = tf.concat(tensors)
    tf.dispose(tensors)
    return whole
  }
  return {
    input: joined(({ input }) => input),
    features: Object.fromEntries(
      [...capture].map((name) => [name, joined(({ features }) => features[name] as Tensor)]),
    ),
  }
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
