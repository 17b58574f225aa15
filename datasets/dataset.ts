import type { DatasetFacts } from '../experiment/spec/dataset.ts'
import type { Shape } from '../experiment/models/model.ts'
import type { DataSpec } from '../experiment/spec/spec.ts'

export interface Dataset {
  readonly facts: DatasetFacts
  /** Class indices [n]. */
  readonly labels: Int32Array
  /** Bytes [to − from, height, width, channels] of the samples from `from` up to, not including, `to`. */
  readonly images: (from: number, to: number) => Promise<Uint8Array>
  /** The first so many samples come from training files, the rest from test files. */
  readonly trainable: number
}

/** Data sets of encoded images that take more decoded, in bytes, are decoded piece by piece, and stored in shards. */
export const IN_MEMORY_BYTES = 2 ** 29

/** How a data set is read. */
export interface Reading {
  /** What encoded images may take decoded; where they take more, `images` decodes them again. */
  readonly inMemoryBytes: number
  /** Hears how far it is with many images. */
  readonly notify?: ((line: string) => void) | undefined
  readonly checked?: Checked | undefined
}

/**
 * What is known of images that were decoded before, under a digest of them and of how: it saves decoding them only to see
 * whether that can be done. Values are plain JSON.
 */
export interface Checked {
  get(key: string): Promise<unknown>
  put(key: string, value: unknown): Promise<void>
}

/** The images of a data set that is in memory: bytes [n, height, width, channels]. */
export function inMemory(images: Uint8Array, [height, width, channels]: Shape): Dataset['images'] {
  const size = height * width * channels
  return (from, to) => Promise.resolve(images.subarray(from * size, to * size))
}

/** A file on the web: a data file, or an archive that holds data files. */
export interface PublishedFile {
  readonly url: string
  readonly bytes: number
  readonly sha256: string
}

/** Where the files are when nobody names a place: beside the code, or with their publisher. */
export type Home =
  | { readonly kind: 'shipped'; readonly directory: string }
  | {
      readonly kind: 'published'
      readonly files: readonly PublishedFile[]
      /** The data files that come of them. */
      readonly members: readonly string[]
    }

/** What a data set's file exports. */
export interface DatasetReader<S extends DataSpec> {
  /** Throws a UserError where the spec names files that are not to be had there. */
  home(spec: S): Home
  /** Whether a file of a bucket or a repository that somebody names is one of the data set's; each is unless this is given. */
  wants?(spec: S, name: string): boolean
  /** Reads and checks the files. Throws a UserError that says what is wrong with them. */
  inspect(spec: S, directory: string, reading: Reading): Promise<DatasetFacts>
  read(spec: S, directory: string, reading: Reading): Promise<Dataset>
}

export type DataSpecOf<N extends DataSpec['name']> = Extract<DataSpec, { name: N }>
