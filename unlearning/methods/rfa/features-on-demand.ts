import type { Tensor2D } from '@tensorflow/tfjs'
import type { Layer } from '../../../experiment/models/layers.ts'
import type { DeviceData } from '../../../learning/data/device-data.ts'
import { captured, inBatches, penultimateFeatures } from '../../../learning/model/features.ts'
import type { Host } from '../../../learning/training/host.ts'
import { initialWeights, parameterSpecs, type NamedTensors } from '../../../learning/model/parameters.ts'
import { parametersOf } from '../../../learning/model/predict.ts'
import type { RandomStream } from '../../../learning/random.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'

/** Features that only some targets need. Each tensor is [n, ...]. The caller disposes of them. */
export interface FeaturesOnDemand {
  /** f_l of the captured layers by name. */
  readonly frozen: (indices: Int32Array) => Promise<NamedTensors>
  /** The same layers of a randomly initialised model. */
  readonly untrained: (indices: Int32Array, random: RandomStream) => Promise<NamedTensors>
  /** The input of the last layer of the frozen model, [n, d]. */
  readonly penultimate: (indices: Int32Array) => Promise<Tensor2D>
}

/** capture: the layers whose features are returned, all of them before layer `to`. */
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
