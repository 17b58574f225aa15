import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { DatasetFacts } from '../../experiment/dataset.ts'
import { UserError } from '../../experiment/errors.ts'
import type { DataSpec, Settings } from '../../experiment/spec.ts'
import { cifar10 } from './cifar10.ts'
import { cifar100 } from './cifar100.ts'
import type { Dataset, DatasetReader, DataSpecOf } from './dataset.ts'
import { digits } from './digits.ts'
import { imageFolder } from './image-folder.ts'
import { mnistReader } from './mnist.ts'
import { npz } from './npz.ts'
import { parquet } from './parquet.ts'
import { svhn } from './svhn.ts'

export type { Dataset, Samples } from './dataset.ts'

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
 * The directory of a data set's files: the one that the settings name, else $ZEROSHIFT_DATA/<name> where there is one,
 * else the data set's own place, into which it may be downloaded.
 */
export async function findDataDirectory(
  spec: DataSpec,
  { dataDirectory }: Pick<Settings, 'dataDirectory'>,
  notify: (line: string) => void = () => undefined,
): Promise<string> {
  if (dataDirectory !== undefined) {
    const directory = resolve(dataDirectory)
    if (await isDirectory(directory)) return directory
    // What a config says as data.from is among the settings by now (cli/prepare.ts).
    const path = 'from' in spec && spec.from !== undefined ? 'data.from' : 'dataDirectory'
    const message = `${path}: there is no directory ${directory}; expected the one that holds ${spec.name}'s files`
    throw new UserError([{ message, path }])
  }
  const { ZEROSHIFT_DATA } = process.env
  if (ZEROSHIFT_DATA) {
    const directory = resolve(join(ZEROSHIFT_DATA, spec.name))
    if (await isDirectory(directory)) return directory
  }
  return readerOf(spec).find(spec, notify)
}

/** Reads and checks the files: what is known of the data before any work starts. Throws a UserError. */
export function inspectDataset(spec: DataSpec, directory: string): Promise<DatasetFacts> {
  return readerOf(spec).inspect(spec, directory)
}

/** The data set's samples, training files first. Throws a UserError as `inspectDataset` does. */
export function readDataset(spec: DataSpec, directory: string): Promise<Dataset> {
  return readerOf(spec).read(spec, directory)
}

function readerOf({ name }: DataSpec): DatasetReader<DataSpec> {
  return readers[name]
}

async function isDirectory(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found?.isDirectory() ?? false
}
