import type { Rank, Tensor, Tensor2D } from '@tensorflow/tfjs'
import type { Layer } from '../../experiment/models/layers.ts'
import type { DeviceData } from '../../learning/data/device-data.ts'
import { captured, inBatches } from '../../learning/model/features.ts'
import type { Host } from '../../learning/training/host.ts'
import type { NamedTensors } from '../../learning/model/parameters.ts'
import { tf } from '../../learning/tensorflow/tf.ts'

/**
 * The features h_l of samples by layer, each [n, d], in inference mode. The output of a layer is
 * averaged over the positions of a convolution or the tokens of a transformer, so d is its number
 * of channels. The caller disposes of them.
 */
export async function pooledFeatures(
  layers: readonly Layer[],
  parameters: NamedTensors,
  data: DeviceData,
  indices: Int32Array,
  { names, host }: { readonly names: readonly string[]; readonly host?: Host | undefined },
): Promise<Readonly<Record<string, Tensor2D>>> {
  if (indices.length === 0) return Object.fromEntries(names.map((name) => [name, tf.zeros<Rank.R2>([0, 0])]))
  const capture = new Set(names)
  const run = (images: Tensor) => {
    const features = Object.entries(captured(layers, parameters, images, { capture }))
    return Object.fromEntries(features.map(([name, feature]) => [name, pooled(feature)]))
  }
  return (await inBatches(data, indices, run, host)) as Readonly<Record<string, Tensor2D>>
}

/**
 * Averages a feature over the positions of a convolution or the tokens of a transformer, [n, d].
 */
export function pooled(feature: Tensor): Tensor2D {
  if (feature.rank === 2) return feature.clone() as Tensor2D
  return feature.mean<Tensor2D>(feature.rank === 4 ? [1, 2] : [1])
}
