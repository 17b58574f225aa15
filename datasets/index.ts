import type { DatasetFacts } from '../experiment/spec/dataset.ts'
import type { DataSpec } from '../experiment/spec/data.ts'
import {
  IN_MEMORY_BYTES,
  type Dataset,
  type DatasetReader,
  type DefaultLocation,
  type ReadOptions,
} from './dataset.ts'

export { IN_MEMORY_BYTES, type DecodingCache, type Dataset } from './dataset.ts'

/**
 * The default location of the data set's files. Throws a UserError if the spec names other files.
 */
export async function defaultLocationOf(spec: DataSpec): Promise<DefaultLocation> {
  return (await readerOf(spec)).defaultLocation(spec)
}

/** Makes a predicate: whether the file with a relative name belongs to the data set. */
export async function dataFilesOf(spec: DataSpec): Promise<(name: string) => boolean> {
  const reader = await readerOf(spec)
  return (name) => reader.isDataFile?.(spec, name) ?? true
}

/** Reads and checks the files before any work starts. Throws a UserError. */
export async function inspectDataset(
  spec: DataSpec,
  directory: string,
  reading: Omit<ReadOptions, 'inMemoryBytes'> = {},
): Promise<DatasetFacts> {
  return (await readerOf(spec)).inspect(spec, directory, { inMemoryBytes: 0, ...reading })
}

/** Reads the data set, training files first. Throws a UserError as `inspectDataset` does. */
export async function readDataset(
  spec: DataSpec,
  directory: string,
  reading: Partial<ReadOptions> = {},
): Promise<Dataset> {
  return (await readerOf(spec)).read(spec, directory, { inMemoryBytes: IN_MEMORY_BYTES, ...reading })
}

/** Loads the reader of a data set, which `readers/<name>.ts` exports as `reader`. */
async function readerOf({ name }: DataSpec): Promise<DatasetReader<DataSpec>> {
  // The pattern makes bundlers include every reader, so that the digest of the code covers them.
  const module = (await import(`./readers/${name}.ts`)) as { readonly reader: DatasetReader<DataSpec> }
  return module.reader
}
