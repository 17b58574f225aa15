import type { Tensor, Tensor2D } from '@tensorflow/tfjs'
import type { Layer } from '../experiment/model.ts'
import type { DeviceData } from '../learning/data.ts'
import type { Host } from '../learning/host.ts'
import { atATime } from '../learning/in-parts.ts'
import { forward } from '../learning/model.ts'
import { initialWeights, parameterSpecs, type NamedTensors } from '../learning/parameters.ts'
import { parametersOf } from '../learning/predict.ts'
import type { RandomStream } from '../learning/random.ts'
import { tf } from '../learning/tf.ts'

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

/** Features of any samples, for who asks: each tensor is [n, ...] and is the caller's to dispose of. */
export interface FeaturesOnDemand {
  /** f_l by layer. */
  readonly frozen: (indices: Int32Array) => Promise<NamedTensors>
  /** The same layers under a randomly initialised twin of the model. */
  readonly untrained: (indices: Int32Array, random: RandomStream) => Promise<NamedTensors>
  /** f of the penultimate layer, [n, d]: what the last one classifies. */
  readonly penultimate: (indices: Int32Array) => Promise<Tensor2D>
}

/** `capture`: the layers whose features are asked for, all of them before layer `to`. */
export function featuresOnDemand(
  layers: readonly Layer[],
  base: NamedTensors,
  data: DeviceData,
  { to, capture, host }: { to: number; capture: ReadonlySet<string>; host?: Host | undefined },
): FeaturesOnDemand {
  const captured = async (parameters: NamedTensors, indices: Int32Array) => {
    const { input, features } = await frozenFeatures(layers, parameters, data, indices, {
      from: 0,
      to,
      capture,
      host,
    })
    input.dispose()
    return features
  }
  return {
    frozen: (indices) => captured(base, indices),
    async untrained(indices, random) {
      const twin = parametersOf(layers, initialWeights(parameterSpecs(layers), random))
      try {
        return await captured(twin, indices)
      } finally {
        tf.dispose(twin)
      }
    },
    async penultimate(indices) {
      const last = layers.length - 1
      const { input } = await frozenFeatures(layers, base, data, indices, {
        from: last,
        to: last,
        capture: new Set(),
        host,
      })
      return input as Tensor2D
    },
  }
}
