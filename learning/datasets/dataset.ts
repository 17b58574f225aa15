import type { DatasetFacts } from '../../experiment/dataset.ts'
import type { DataSpec } from '../../experiment/spec.ts'

export interface Samples {
  /** Bytes [n, height, width, channels]. */
  readonly images: Uint8Array
  /** Class indices [n]. */
  readonly labels: Int32Array
}

export interface Dataset {
  readonly facts: DatasetFacts
  readonly samples: Samples
  /** The first so many samples come from training files, the rest from test files. */
  readonly trainable: number
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
  inspect(spec: S, directory: string): Promise<DatasetFacts>
  read(spec: S, directory: string): Promise<Dataset>
}

export type DataSpecOf<N extends DataSpec['name']> = Extract<DataSpec, { name: N }>
