import type { Tensor } from '@tensorflow/tfjs'
import type { Layer } from '../experiment/model.ts'
import type { DeviceData } from '../learning/data.ts'
import type { Host } from '../learning/host.ts'
import { forward } from '../learning/model.ts'
import type { NamedTensors } from '../learning/parameters.ts'
import { tf } from '../learning/tf.ts'

/** What the frozen model makes of some samples, kept on the device: each tensor is [n, ...]. */
export interface FrozenFeatures {
  /** The input of layer `from`. */
  readonly input: Tensor
  /** f_l, by layer name. */
  readonly features: NamedTensors
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
  const parts: FrozenFeatures[] = []
  for (let first = 0; first < indices.length; first += 256) {
    const batch = indices.subarray(first, first + 256)
    parts.push(
      tf.tidy(() => {
        const input = forward(layers, base, data.images(batch), { to: from }).output
        return { input, features: forward(layers, base, input, { from, to, capture }).features }
      }),
    )
    await host?.step({})
  }
  const joined = (tensorOf: (part: FrozenFeatures) => Tensor) => {
    const tensors = parts.map(tensorOf)
    const whole = tf.concat(tensors)
    if (tensors.length > 1) tf.dispose(tensors)
    return whole
  }
  return {
    input: joined(({ input }) => input),
    features: Object.fromEntries(
      [...capture].map((name) => [name, joined(({ features }) => features[name] as Tensor)]),
    ),
  }
}
