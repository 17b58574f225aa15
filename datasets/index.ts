import type { DatasetFacts } from '../experiment/spec/dataset.ts'
import type { DataSpec } from '../experiment/spec/data.ts'
import { cifar10 } from './cifar10.ts'
import { cifar100 } from './cifar100.ts'
import {
  IN_MEMORY_BYTES,
  type Dataset,
  type DatasetReader,
  type DataSpecOf,
  type DefaultLocation,
  type ReadOptions,
} from './dataset.ts'
import { digits } from './digits.ts'
import { imageFolder } from './image-folder.ts'
import { mnistReader } from './mnist.ts'
import { npz } from './npz.ts'
import { parquet } from './parquet.ts'
import { svhn } from './svhn.ts'

export { IN_MEMORY_BYTES, type DecodingCache, type Dataset } from './dataset.ts'

const readers: { readonly [N in DataSpec['name']]: DatasetReader<DataSpecOf<N>> } = {
  digits,
  cifar10,
  mnist: mnistReader('mnist'),
  'fashion-mnist': mnistReader('fashion-mnist'),
  kmnist: mnistReader('kmnist'),
  cifar100,
  svhn,
  'image-folder': imageFolder,
  parquet,
  npz,
}

/**
 * The default location of the data set's files. Throws a UserError if the spec names other files.
 */
export function defaultLocationOf(spec: DataSpec): DefaultLocation {
  return readerOf(spec).defaultLocation(spec)
}

/** Whether a file belongs to the data set, by its relative name. */
export function isDataFile(spec: DataSpec, name: string): boolean {
  return readerOf(spec).isDataFile?.(spec, name) ?? true
}

/** Reads and checks the files before any work starts. Throws a UserError. */
export function inspectDataset(
  spec: DataSpec,
  directory: string,
  reading: Omit<ReadOptions, 'inMemoryBytes'> = {},
): Promise<DatasetFacts> {
  return readerOf(spec).inspect(spec, directory, { inMemoryBytes: 0, ...reading })
}

/** Reads the data set, training files first. Throws a UserError as `inspectDataset` does. */
export function readDataset(
  spec: DataSpec,
  directory: string,
  reading: Partial<ReadOptions> = {},
): Promise<Dataset> {
  return readerOf(spec).read(spec, directory, { inMemoryBytes: IN_MEMORY_BYTES, ...reading })
}

function readerOf({ name }: DataSpec): DatasetReader<DataSpec> {
  return readers[name]
}
