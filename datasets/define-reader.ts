import type { z } from 'zod'
import type { Shape } from '../experiment/models/layers.ts'

/** A reader of data that is no part of this repository, with its options. */
export interface ReaderDefinition<Options extends z.ZodObject = z.ZodObject> {
  /** The name of the data set in reports: `my-data`. */
  readonly name: string
  /** The data and their format, in one line. */
  readonly about: string
  /** The schema of the options that a config may give. Values stay JSON. */
  readonly options: Options
  /**
   * Whether a file belongs to the data set, by its name below the directory. Without this function,
   * all files do.
   */
  readonly isDataFile?: (name: string, options: z.output<Options>) => boolean
  /**
   * Returns the samples from the contents of the files, which are sorted by name. Their digests are
   * part of the keys, so that the result may depend on nothing else.
   */
  readonly read: (
    files: ReadonlyMap<string, Uint8Array>,
    options: z.output<Options>,
  ) => ReadData | Promise<ReadData>
}

/** What a reader returns. */
export interface ReadData {
  /** Height and width in pixels, and channels. */
  readonly shape: Shape
  /** The names of the classes, by index. */
  readonly classes: readonly string[]
  readonly train: ReadSamples
  /** Absent if the files set no samples apart: the config's `test` then gives their share. */
  readonly test?: ReadSamples
  /** Whom the report names as the source. */
  readonly citation?: string
}

export interface ReadSamples {
  /** Bytes [n, height, width, channels], of which 255 is white. */
  readonly images: Uint8Array
  /** The class of each image, [n]. */
  readonly labels: ArrayLike<number>
  /** The name of each image, which a split by names may list. All sets have them, or none. */
  readonly names?: readonly string[]
}

/** Returns the definition of a reader. The types of its options come from its schema. */
export function defineReader<Options extends z.ZodObject>(
  definition: ReaderDefinition<Options>,
): ReaderDefinition<Options> {
  return definition
}
