import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { decodeHeader, headerEnd, type TensorEntry } from '../artifacts/format/safetensors.ts'
import type { CheckpointFacts } from '../experiment/models/pretrained.ts'
import { openRegularFile, unreadable } from '../common/regular-file.ts'
import { checkpointError, readJsonFile } from './json-file.ts'
import { isPickle, pickleAdvice } from './pickle.ts'
import { errorMessage } from '../common/errors.ts'

/** A tensor and its position in a file. */
export interface PlacedTensor extends TensorEntry {
  readonly file: string
  /** The offset of its data in the file, in bytes. */
  readonly offset: number
}

const WEIGHTS = 'model.safetensors'
const INDEX = 'model.safetensors.index.json'
const index = z.looseObject({ weight_map: z.record(z.string(), z.string()) })

/** The limit of the safetensors library. */
const MOST_HEADER_BYTES = 100_000_000

/** Whether a file is one of a checkpoint's files that are read and downloaded. */
export function isCheckpointFile(name: string): boolean {
  return (
    name === 'config.json' ||
    name === 'preprocessor_config.json' ||
    name === INDEX ||
    /^model(-\d+-of-\d+)?\.safetensors$/.test(name)
  )
}

/** Finds every tensor of a checkpoint in the headers of its file or shards. Throws a UserError. */
export async function readTensorIndex(
  directory: string,
): Promise<{ readonly tensors: ReadonlyMap<string, PlacedTensor>; readonly files: readonly string[] }> {
  const sharded = await readJsonFile(join(directory, INDEX), index)
  const files = sharded ? [...new Set(Object.values(sharded.weight_map))].sort() : [WEIGHTS]
  for (const file of files)
    if (file !== basename(file) || !isCheckpointFile(file))
      throw checkpointError(`${join(directory, INDEX)}: "${file}" is no name of a shard beside it`)
  const tensors = new Map<string, PlacedTensor>()
  for (const file of files) {
    for (const [name, tensor] of await readHeaderOf(directory, file)) {
      const twin = tensors.get(name)
      if (twin) throw checkpointError(`${directory}: the tensor "${name}" is in ${twin.file} and in ${file}`)
      tensors.set(name, tensor)
    }
  }
  for (const [name, file] of Object.entries(sharded?.weight_map ?? {}))
    if (tensors.get(name)?.file !== file)
      throw checkpointError(`${join(directory, INDEX)}: the tensor "${name}" is to be in ${file}, and is not`)
  return { tensors, files: sharded ? [INDEX, ...files] : files }
}

async function readHeaderOf(directory: string, name: string): Promise<readonly [string, PlacedTensor][]> {
  const path = join(directory, name)
  const file = await openRegularFile(path).catch(async (error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw await missing(directory, name)
    const reason = unreadable(error)
    throw reason === undefined ? error : checkpointError(`${path} ${reason}`)
  })
  try {
    const { size } = await file.stat()
    const prefix = Buffer.alloc(Math.min(8, size))
    await file.read(prefix, 0, prefix.length, 0)
    const end = headerEnd(prefix, size)
    if (end > MOST_HEADER_BYTES)
      throw new Error(`its header takes ${end} bytes, ${MOST_HEADER_BYTES} at most are read`)
    const head = Buffer.alloc(end)
    await file.read(head, 0, end, 0)
    const { entries } = decodeHeader(head, size)
    return Object.entries(entries).map(([tensor, entry]) => [
      tensor,
      { ...entry, file: name, offset: end + entry.begin },
    ])
  } catch (error) {
    throw checkpointError(`${path}: ${errorMessage(error)}`)
  } finally {
    await file.close()
  }
}

/**
 * The error for a missing weights file. It names a pickle if there is one. Pickles are never read,
 * since reading one runs code.
 */
async function missing(directory: string, name: string): Promise<Error> {
  const present = await readdir(directory).catch(() => [])
  const pickle = present.find(isPickle)
  return checkpointError(
    `${join(directory, name)} is missing` +
      (pickle === undefined
        ? `; expected ${WEIGHTS}, or ${INDEX} and its shards`
        : `; ${pickleAdvice(pickle)}`),
  )
}

/** The names, hashes and sizes of a checkpoint's files, ordered by name. */
export async function describeFiles(
  directory: string,
  weights: readonly string[],
): Promise<CheckpointFacts['files']> {
  const names = ['config.json', 'preprocessor_config.json', ...weights].sort()
  const files = []
  for (const name of names) {
    const path = join(directory, name)
    const file = await openRegularFile(path).catch(() => undefined)
    if (!file) continue
    const hash = createHash('sha256')
    const { size } = await file.stat()
    // The stream closes the file.
    await pipeline(file.createReadStream(), hash)
    files.push({ name, sha256: hash.digest('hex'), bytes: size })
  }
  return files
}
