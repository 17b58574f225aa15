import type { DatasetFacts } from '../experiment/spec/dataset.ts'
import type { Shape } from '../experiment/models/layers.ts'
import type { DataSpec } from '../experiment/spec/data.ts'

export interface Dataset {
  readonly facts: DatasetFacts
  /** Class indices [n]. */
  readonly labels: Int32Array
  /**
   * Bytes [to − from, height, width, channels] of the samples from `from` up to `to` (exclusive).
   */
  readonly images: (from: number, to: number) => Promise<Uint8Array>
  /** The number of samples from training files. They come first; the others are from test files. */
  readonly trainable: number
  /**
   * The name of each sample: the path of an image in its folder, or the id of a row. Absent if the
   * format has no names.
   */
  readonly names?: readonly string[]
}

/**
 * The size in bytes from which decoded images are not kept in memory but decoded in pieces and
 * stored in shards.
 */
export const IN_MEMORY_BYTES = 2 ** 29

/** Options of reading a data set. */
export interface ReadOptions {
  /**
   * The largest size of decoded images that are kept in memory. Larger sets are decoded again by
   * `images`.
   */
  readonly inMemoryBytes: number
  /** Called with messages on progress while many images are decoded. */
  readonly notify?: ((line: string) => void) | undefined
  readonly decodingCache?: DecodingCache | undefined
}

/**
 * A cache of which encoded images can be decoded, by a digest of the images and the decoding
 * options. It avoids decoding images only to check them. Values are plain JSON.
 */
export interface DecodingCache {
  get(key: string): Promise<unknown>
  put(key: string, value: unknown): Promise<void>
}

/** The images of a data set that is in memory. images: bytes [n, height, width, channels]. */
export function inMemory(images: Uint8Array, [height, width, channels]: Shape): Dataset['images'] {
  const size = height * width * channels
  return (from, to) => Promise.resolve(images.subarray(from * size, to * size))
}

/** A published file: a data file, or an archive that contains data files. */
export interface PublishedFile {
  readonly url: string
  readonly bytes: number
  readonly sha256: string
}

/** The location of the files by default: shipped with the code, or at their publisher. */
export type DefaultLocation =
  | { readonly kind: 'shipped'; readonly directory: string }
  | {
      readonly kind: 'published'
      readonly files: readonly PublishedFile[]
      /** The names of the data files after unpacking. */
      readonly members: readonly string[]
    }

/** The reader of one data set. */
export interface DatasetReader<S extends DataSpec> {
  /** Throws a UserError if the spec names files that are not available by default. */
  defaultLocation(spec: S): DefaultLocation
  /**
   * Whether a file of a bucket or repository belongs to the data set. Without this function, all
   * files do.
   */
  isDataFile?(spec: S, name: string): boolean
  /** Reads and checks the files. Throws a UserError that lists their problems. */
  inspect(spec: S, directory: string, reading: ReadOptions): Promise<DatasetFacts>
  read(spec: S, directory: string, reading: ReadOptions): Promise<Dataset>
}

export type DataSpecOf<N extends DataSpec['name']> = Extract<DataSpec, { name: N }>
