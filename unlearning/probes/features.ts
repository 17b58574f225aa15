import type { Rank, Tensor, Tensor2D } from '@tensorflow/tfjs'
import type { Layer } from '../../experiment/model.ts'
import type { DeviceData } from '../../learning/data.ts'
import type { Host } from '../../learning/host.ts'
import { atATime } from '../../learning/in-parts.ts'
import { forward } from '../../learning/model.ts'
import type { NamedTensors } from '../../learning/parameters.ts'
import { tf } from '../../learning/tf.ts'

const BATCH = 256

/**
 * h_l of samples by layer, each [n, d]: the layer's output, averaged over a convolution's positions or a transformer's tokens, so that d is
 * the number of its channels. In inference mode. Dispose of them.
 */
export async function pooledFeatures(
  layers: readonly Layer[],
  parameters: NamedTensors,
  data: DeviceData,
  indices: Int32Array,
  { names, host }: { readonly names: readonly string[]; readonly host?: Host | undefined },
): Promise<Readonly<Record<string, Tensor2D>>> {
  if (indices.length === 0) return Object.fromEntries(names.map((name) => [name, tf.zeros<Rank.R2>([0, 0])]))
  const parts: Readonly<Record<string, Tensor2D>>[] = []
  const capture = new Set(names)
  const size = atATime(BATCH, host)
  for (let first = 0; first < indices.length; first += size) {
    const images = () => data.images(indices.subarray(first, first + size))
    parts.push(
      tf.tidy(() => {
        const { features } = forward(layers, parameters, images(), { capture })
        return Object.fromEntries(names.map((name) => [name, pooled(features[name] as Tensor)]))
      }),
    )
    await host?.step({})
  }
  const joined = Object.fromEntries(
    names.map((name) => [name, tf.tidy(() => tf.concat(parts.map((part) => part[name] as Tensor2D)))]),
  )
  tf.dispose(parts)
  return joined
}

function pooled(feature: Tensor): Tensor2D {
  if (feature.rank === 2) return feature.clone() as Tensor2D
  return feature.mean<Tensor2D>(feature.rank === 4 ? [1, 2] : [1])
}
