import type { DatasetFacts } from '../experiment/spec/dataset.ts'
import type { DataSpec } from '../experiment/spec/data.ts'
import {
  IN_MEMORY_BYTES,
  type Dataset,
  type DatasetReader,
  type DataSpecOf,
  type DefaultLocation,
  type ReadOptions,
} from './dataset.ts'

import { unnamedPlace } from './missing.ts'

export { IN_MEMORY_BYTES, type DecodingCache, type Dataset } from './dataset.ts'

/**
 * The default location of the data set's files. Throws a UserError if the spec names other files.
 */
export async function defaultLocationOf(spec: DataSpec): Promise<DefaultLocation> {
  if (spec.name === 'plugin') throw unnamedPlace(spec.plugin.name)
  return (await readerOf(spec)).defaultLocation(spec)
}

/** Makes a predicate: whether the file with a relative name belongs to the data set. */
export async function dataFilesOf(spec: DataSpec, plugin?: PluginReader): Promise<(name: string) => boolean> {
  // A command that only finds the files has no need of the plug-in that reads them.
  if (spec.name === 'plugin' && !plugin) return () => true
  const reader = await readerOf(spec, plugin)
  return (name) => reader.isDataFile?.(spec, name) ?? true
}

/** Reads and checks the files before any work starts. Throws a UserError. */
export async function inspectDataset(
  spec: DataSpec,
  directory: string,
  { plugin, ...reading }: Omit<ReadOptions, 'inMemoryBytes'> & Plugged = {},
): Promise<DatasetFacts> {
  return (await readerOf(spec, plugin)).inspect(spec, directory, { inMemoryBytes: 0, ...reading })
}

/** Reads the data set, training files first. Throws a UserError as `inspectDataset` does. */
export async function readDataset(
  spec: DataSpec,
  directory: string,
  { plugin, ...reading }: Partial<ReadOptions> & Plugged = {},
): Promise<Dataset> {
  return (await readerOf(spec, plugin)).read(spec, directory, { inMemoryBytes: IN_MEMORY_BYTES, ...reading })
}

/** The reader that a plug-in defines. Data of other plug-ins are not read by it. */
export type PluginReader = DatasetReader<DataSpecOf<'plugin'>>

interface Plugged {
  /** The reader of data that a plug-in reads. */
  readonly plugin?: PluginReader | undefined
}

/** Loads the reader of a data set, which `readers/<name>.ts` exports as `reader`. */
async function readerOf(spec: DataSpec, plugin?: PluginReader): Promise<DatasetReader<DataSpec>> {
  const { name } = spec
  if (name === 'plugin') {
    if (!plugin) throw new Error(`the reader of the plug-in ${spec.plugin.name} was not loaded`)
    return plugin
  }
  // The pattern makes bundlers include every reader, so that the digest of the code covers them.
  const module = (await import(`./readers/${name}.ts`)) as { readonly reader: DatasetReader<DataSpec> }
  return module.reader
}
