import type { Artifacts } from '../artifacts/artifacts.ts'
import { decodeTensors, encodeTensors, type TensorData } from '../artifacts/safetensors.ts'
import type { Manifest, ManifestOf } from '../experiment/manifest.ts'

/** Reading the blobs of input manifests, and writing the ones that others read: each format once, both ways. */

/** The data set's blob: pixels and labels of every sample, and which samples are trained on, validated and tested on. */
export interface StoredDataset {
  readonly images: Uint8Array
  readonly labels: Int32Array
  readonly train: Int32Array
  readonly validation: Int32Array
  readonly test: Int32Array
  /** Per channel, over the training samples, in pixel units. */
  readonly mean: Float32Array
  readonly deviation: Float32Array
}

/** Which samples are forgotten, retained and tested on: indices into the data set. */
export interface StoredSplit {
  readonly retained: Int32Array
  readonly forget: Int32Array
  readonly validation: Int32Array
  readonly attackTest: Int32Array
  readonly test: Int32Array
  readonly forgottenTest: Int32Array
}

const vector = (values: Int32Array | Float32Array): TensorData =>
  values instanceof Int32Array
    ? { dtype: 'I32', shape: [values.length], values }
    : { dtype: 'F32', shape: [values.length], values }

export function encodeDataset({ images, ...vectors }: StoredDataset): Uint8Array {
  const tensors = Object.fromEntries(
    Object.entries(vectors).map(([name, values]) => [name, vector(values as Int32Array)]),
  )
  return encodeTensors({ ...tensors, images: { dtype: 'U8', shape: [images.length], values: images } })
}

export async function readDataset(
  artifacts: Artifacts,
  manifest: ManifestOf<'dataset'>,
): Promise<StoredDataset> {
  const read = await readTensors(artifacts, manifest, 'dataset')
  return {
    images: read('images') as Uint8Array,
    labels: read('labels') as Int32Array,
    train: read('train') as Int32Array,
    validation: read('validation') as Int32Array,
    test: read('test') as Int32Array,
    mean: read('mean') as Float32Array,
    deviation: read('deviation') as Float32Array,
  }
}

export function encodeSplit(split: StoredSplit): Uint8Array {
  return encodeTensors(
    Object.fromEntries(Object.entries(split).map(([name, values]) => [name, vector(values as Int32Array)])),
  )
}

export async function readSplit(artifacts: Artifacts, manifest: ManifestOf<'split'>): Promise<StoredSplit> {
  const read = await readTensors(artifacts, manifest, 'split')
  return {
    retained: read('retained') as Int32Array,
    forget: read('forget') as Int32Array,
    validation: read('validation') as Int32Array,
    attackTest: read('attackTest') as Int32Array,
    test: read('test') as Int32Array,
    forgottenTest: read('forgottenTest') as Int32Array,
  }
}

export function output(manifest: Manifest, name: string) {
  const blob = manifest.outputs[name]
  if (!blob)
    throw new Error(`the ${manifest.kind} stage ${manifest.key.slice(0, 12)} has no output "${name}"`)
  return blob
}

async function readTensors(artifacts: Artifacts, manifest: Manifest, name: string) {
  const { tensors } = decodeTensors(await artifacts.getBlob(output(manifest, name)))
  return (tensor: string) => {
    const found = tensors[tensor]
    if (!found) throw new Error(`the ${manifest.kind} blob lacks the tensor "${tensor}"`)
    return found.values
  }
}
