import type { Artifacts } from '../../artifacts/artifacts.ts'
import { decodeTensors, encodeTensors, type WritableTensor } from '../../artifacts/format/safetensors.ts'
import type { BlobRef, Manifest, ManifestOf } from '../../experiment/records/manifest.ts'
import type { Partition } from '../../learning/data/partition.ts'
import type { Shadows } from '../../unlearning/population/shadows.ts'
import type { Split } from '../../unlearning/split/split.ts'

/**
 * The formats of blobs that one stage writes and another one reads: encoding and decoding of each.
 */

/**
 * The content of a data set's blob: pixels and labels of all samples, and the indices of the
 * samples for training, validation and tests.
 */
export interface StoredDataset extends Partition {
  /** Bytes of shape [samples, height, width, channels]. Absent if the pixels are in shards. */
  readonly images?: Uint8Array
  readonly labels: Int32Array
  /**
   * The mean of each channel over the training samples, in pixel units. The same for `deviation`.
   */
  readonly mean: Float32Array
  readonly deviation: Float32Array
}

export function encodeDataset(dataset: StoredDataset): Uint8Array {
  return encodeVectors({ ...dataset })
}

export async function readDataset(
  artifacts: Artifacts,
  manifest: ManifestOf<'dataset'>,
): Promise<StoredDataset> {
  const { bytes, integers, floats } = await readVectors(artifacts, manifest, 'dataset')
  return {
    ...(shardsOf(manifest).length === 0 && { images: bytes('images') }),
    labels: integers('labels'),
    train: integers('train'),
    validation: integers('validation'),
    test: integers('test'),
    mean: floats('mean'),
    deviation: floats('deviation'),
  }
}

/**
 * Returns the blobs with the pixels of a large data set, in the order of the samples: bytes of
 * shape [samples, height, width, channels] without a header. Empty for small data sets.
 */
export function shardsOf({ outputs }: ManifestOf<'dataset'>): readonly BlobRef[] {
  const shards: BlobRef[] = []
  for (let blob = outputs[shardName(0)]; blob; blob = outputs[shardName(shards.length)]) shards.push(blob)
  return shards
}

export function shardName(shard: number): string {
  return `images.${String(shard).padStart(5, '0')}`
}

export function encodeSplit(split: Split): Uint8Array {
  return encodeVectors({ ...split })
}

export async function readSplit(artifacts: Artifacts, manifest: ManifestOf<'split'>): Promise<Split> {
  const { integers } = await readVectors(artifacts, manifest, 'split')
  return {
    retained: integers('retained'),
    forget: integers('forget'),
    validation: integers('validation'),
    attackTest: integers('attackTest'),
    test: integers('test'),
    forgottenTest: integers('forgottenTest'),
  }
}

/**
 * A shadow model's φ = log(p_y/(1 − p_y)) for every sample, in nats, and its members: 1 for each
 * sample that the model was trained on, else 0.
 */
export interface StoredShadow {
  readonly phi: Float32Array
  readonly members: Uint8Array
}

export function encodeShadow(shadow: StoredShadow): Uint8Array {
  return encodeVectors({ ...shadow })
}

export async function readShadow(
  artifacts: Artifacts,
  manifest: ManifestOf<'shadow'>,
): Promise<StoredShadow> {
  const { bytes, floats } = await readVectors(artifacts, manifest, 'margins')
  return { phi: floats('phi'), members: bytes('members') }
}

/** Encodes φ and members of all shadow models: [models, samples], row-major. */
export function encodePool({ values, members }: Shadows): Uint8Array {
  return encodeVectors({ values, members })
}

export async function readPool(artifacts: Artifacts, manifest: ManifestOf<'pool'>): Promise<Shadows> {
  const { bytes, floats } = await readVectors(artifacts, manifest, 'margins')
  return { ...manifest.metrics, values: floats('values'), members: bytes('members') }
}

/** Returns an output of a stage by its name. Throws an error if there is none. */
export function output(manifest: Manifest, name: string) {
  const blob = manifest.outputs[name]
  if (!blob)
    throw new Error(`the ${manifest.kind} stage ${manifest.key.slice(0, 12)} has no output "${name}"`)
  return blob
}

function encodeVectors(
  vectors: Readonly<Record<string, Uint8Array | Int32Array | Float32Array>>,
): Uint8Array {
  const tensor = (values: Uint8Array | Int32Array | Float32Array): WritableTensor => {
    const shape = [values.length]
    if (values instanceof Uint8Array) return { dtype: 'U8', shape, values }
    return values instanceof Int32Array ? { dtype: 'I32', shape, values } : { dtype: 'F32', shape, values }
  }
  return encodeTensors(
    Object.fromEntries(Object.entries(vectors).map(([name, values]) => [name, tensor(values)])),
  )
}

interface Vectors {
  readonly U8: Uint8Array
  readonly I32: Int32Array
  readonly F32: Float32Array
}

async function readVectors(artifacts: Artifacts, manifest: Manifest, name: string) {
  const { tensors } = decodeTensors(await artifacts.getBlob(output(manifest, name)))
  const read =
    <D extends keyof Vectors>(dtype: D) =>
    (vector: string): Vectors[D] => {
      const found = tensors[vector]
      if (found?.dtype !== dtype)
        throw new Error(`the ${manifest.kind} blob lacks the vector "${vector}" of type ${dtype}`)
      return found.values as Vectors[D]
    }
  return { bytes: read('U8'), integers: read('I32'), floats: read('F32') }
}
