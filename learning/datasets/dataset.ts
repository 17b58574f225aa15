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
  /** The pixel value of white. */
  readonly maximum: number
  readonly samples: Samples
  /** The first so many samples come from training files, the rest from test files. */
  readonly trainable: number
}

/** A file as its publisher offers it. */
export interface Download {
  readonly url: string
  readonly bytes: number
  readonly sha256: string
}

/** What a data set's file exports. */
export interface DatasetReader<S extends DataSpec> {
  /** Where the files are when nobody names a directory; may download them. `notify` gets lines for people. */
  find(spec: S, notify: (line: string) => void): Promise<string>
  /** Reads and checks the files. Throws a UserError that says what is wrong with them. */
  inspect(spec: S, directory: string): Promise<DatasetFacts>
  read(spec: S, directory: string): Promise<Dataset>
}

export type DataSpecOf<N extends DataSpec['name']> = Extract<DataSpec, { name: N }>
