import type { Tensor2D } from '@tensorflow/tfjs'
import type { Layer } from '../../../experiment/models/model.ts'
import type { DeviceData } from '../../../learning/data/device-data.ts'
import { captured, inBatches, penultimateFeatures } from '../../../learning/model/features.ts'
import type { Host } from '../../../learning/training/host.ts'
import { initialWeights, parameterSpecs, type NamedTensors } from '../../../learning/model/parameters.ts'
import { parametersOf } from '../../../learning/model/predict.ts'
import type { RandomStream } from '../../../learning/random.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'

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
  const features = (parameters: NamedTensors, indices: Int32Array) =>
    inBatches(data, indices, (images) => captured(layers, parameters, images, { to, capture }), host)
  return {
    frozen: (indices) => features(base, indices),
    async untrained(indices, random) {
      const twin = parametersOf(layers, initialWeights(parameterSpecs(layers), random))
      try {
        return await features(twin, indices)
      } finally {
        tf.dispose(twin)
      }
    },
    penultimate: (indices) => penultimateFeatures(layers, base, data, indices, host),
  }
}
