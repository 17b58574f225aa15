import type { Artifacts } from '../artifacts/artifacts.ts'
import { decodeTensors, encodeTensors, type WritableTensor } from '../artifacts/safetensors.ts'
import type { Manifest, ManifestOf } from '../experiment/manifest.ts'
import type { Layer } from '../experiment/model.ts'
import { DeviceData } from '../learning/data.ts'
import { packArrays, parameterSpecs, unpackArrays, type Weights } from '../learning/parameters.ts'
import { output, readDataset } from './stored.ts'

/** What stages that compute on the device share: weights in their blob's format, and the data set uploaded. */

export function encodeWeights(layers: readonly Layer[], weights: Weights): Uint8Array {
  const specs = parameterSpecs(layers)
  return encodeTensors(
    floats({
      ...unpackArrays(specs.trained, weights.trained),
      ...unpackArrays(specs.statistics, weights.statistics),
    }),
  )
}

export async function readWeights(
  artifacts: Artifacts,
  manifest: Manifest,
  layers: readonly Layer[],
): Promise<Weights> {
  const { tensors } = decodeTensors(await artifacts.getBlob(output(manifest, 'model')))
  const specs = parameterSpecs(layers)
  return { trained: packArrays(specs.trained, tensors), statistics: packArrays(specs.statistics, tensors) }
}

export function floats(
  tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly values: Float32Array }>>,
): Record<string, WritableTensor> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, { dtype: 'F32', ...tensor }]),
  )
}

/** Uploads the data set (dispose of it when done); `train` are the samples that models train on. */
export async function deviceData(
  artifacts: Artifacts,
  manifest: ManifestOf<'dataset'>,
): Promise<{ data: DeviceData; train: Int32Array }> {
  const { images, labels, train, mean, deviation } = await readDataset(artifacts, manifest)
  const { shape, classes } = manifest.params.facts
  // Copies of what stays: a view would keep the whole blob, pixels included, in memory.
  const data = new DeviceData(images, labels.slice(), {
    shape,
    classes: classes.length,
    mean: [...mean],
    deviation: [...deviation],
  })
  return { data, train: train.slice() }
}
