import { closeSync } from 'node:fs'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import { decodeTensors, encodeTensors, type WritableTensor } from '../../artifacts/format/safetensors.ts'
import type { BlobRef, Manifest, ManifestOf } from '../../experiment/records/manifest.ts'
import type { DatasetFacts } from '../../experiment/spec/dataset.ts'
import { whiteOf } from '../../experiment/spec/white.ts'
import { checkpointOf } from '../../experiment/models/model.ts'
import type { Layer, Shape } from '../../experiment/models/layers.ts'
import type { ModelSpec } from '../../experiment/spec/model.ts'
import { DeviceData } from '../../learning/data/device-data.ts'
import {
  packArrays,
  parameterSpecs,
  unpackArrays,
  type Tensors,
  type Weights,
} from '../../learning/model/parameters.ts'
import { FilePixels, type Pixels } from '../../learning/data/pixels.ts'
import { Preparer } from '../../learning/data/prepare.ts'
import { output, readDataset, shardsOf } from './blob-codecs.ts'

/**
 * Functions for stages that compute on a device: the format of weights in blobs, and the upload of
 * the data set.
 */

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
  name = 'model',
): Promise<Weights> {
  const { tensors } = decodeTensors(await artifacts.getBlob(output(manifest, name)))
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

/**
 * Returns the tensors of a pretrained model, for a model that starts from them. The tensors of its
 * head are left out if the model gets a new head.
 */
export async function pretrainedTensors(
  artifacts: Artifacts,
  checkpoint: ManifestOf<'checkpoint'> | undefined,
  model: ModelSpec,
  layers: readonly Layer[],
): Promise<Tensors | undefined> {
  if (!checkpoint) return undefined
  const { tensors } = decodeTensors(await artifacts.getBlob(output(checkpoint, 'model')))
  const head =
    model.name === 'pretrained' && model.head === 'new' ? `${layers.at(-1)?.name ?? ''}.` : undefined
  return Object.fromEntries(
    Object.entries(tensors).flatMap(([name, tensor]) =>
      tensor.dtype === 'F32' && (head === undefined || !name.startsWith(head)) ? [[name, tensor]] : [],
    ),
  )
}

/**
 * Uploads the data set in the form that a model needs. The caller has to dispose of the data. Also
 * returns the indices of the training samples and of the validation samples.
 */
export async function deviceData(
  artifacts: Artifacts,
  manifest: ManifestOf<'dataset'>,
  model: ModelSpec,
): Promise<{ data: DeviceData; train: Int32Array; validation: Int32Array }> {
  const { images, labels, train, validation, mean, deviation } = await readDataset(artifacts, manifest)
  const { shape, classes } = manifest.params.facts
  const pixels = images ?? (await filePixels(artifacts, shardsOf(manifest), shape))
  // The vectors are copied, because a view of them would keep the whole blob with its pixels in
  // memory.
  const data = new DeviceData(pixels, labels.slice(), {
    shape,
    classes: classes.length,
    ...preparedFor(model, manifest.params.facts, { mean: [...mean], deviation: [...deviation] }),
  })
  return { data, train: train.slice(), validation: validation.slice() }
}

/**
 * Returns pixels that are read from the files of shards when they are needed. For a store on S3,
 * these are copies in the cache.
 */
async function filePixels(
  artifacts: Artifacts,
  shards: readonly BlobRef[],
  [height, width, channels]: Shape,
): Promise<Pixels> {
  const size = height * width * channels
  const descriptors = await artifacts.openBlobs(shards)
  const files = descriptors.map((descriptor, i) => ({ descriptor, rows: (shards[i]?.bytes ?? 0) / size }))
  return new FilePixels(files, size, () => {
    for (const descriptor of descriptors) closeSync(descriptor)
  })
}

interface Scale {
  readonly mean: readonly number[]
  readonly deviation: readonly number[]
}

/**
 * Returns how images are prepared and normalised: by the data set's statistics, unless a pretrained
 * model needs another preparation.
 */
function preparedFor(model: ModelSpec, facts: DatasetFacts, own: Scale): Scale & { preparer?: Preparer } {
  if (model.name !== 'pretrained') return own
  const { architecture, preparation } = checkpointOf(model)
  const { channels } = architecture
  const white = whiteOf(facts)
  const preparer = new Preparer(facts.shape, preparation, { channels, white })
  const { normalise } = preparation
  const scaled = (values: readonly number[]) => values.map((value) => value * white)
  // Grey images are repeated in every channel, and with them their mean and deviation.
  const each = (values: readonly number[]) =>
    Array.from({ length: channels }, (_, i) => values[i] ?? values[0] ?? 0)
  return {
    preparer,
    mean: normalise ? scaled(normalise.mean) : each(own.mean),
    deviation: normalise ? scaled(normalise.deviation) : each(own.deviation),
  }
}
