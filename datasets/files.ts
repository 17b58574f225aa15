import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../common/canonical.ts'
import type { DatasetFacts } from '../experiment/spec/dataset.ts'
import { UserError, type Problem } from '../common/errors.ts'
import { readRegularFile, unreadable } from '../common/regular-file.ts'
import { isSafeName } from '../common/safe-name.ts'

/** The size and SHA-256 of a published file. */
export interface KnownFile {
  readonly bytes: number
  readonly sha256: string
}

export type SourceFile = DatasetFacts['sources'][number]

/**
 * Reads a data file and, if it is a known one, verifies its SHA-256. `path` is the config key that
 * names the file and `advice` the remedy. Throws a UserError.
 */
export async function readDataFile(
  directory: string,
  name: string,
  { known, path, advice }: { known: KnownFile | undefined; path: string; advice: string },
): Promise<{ readonly content: Buffer; readonly source: SourceFile }> {
  refuseUnsafe(name, path)
  const file = join(directory, name)
  const content = await readRegularFile(file).catch((error: unknown) => {
    const reason = unreadable(error)
    if (reason === undefined) throw error
    throw dataError(path, `${file} ${reason}; ${advice}`)
  })
  const source = { name, sha256: sha256(content), bytes: content.length }
  if (known && source.sha256 !== known.sha256) {
    const difference =
      source.bytes === known.bytes
        ? `has the SHA-256 ${source.sha256}, expected ${known.sha256}: its content was changed`
        : `has ${source.bytes} bytes, expected ${known.bytes}: it is ${source.bytes < known.bytes ? 'truncated' : 'another file'}`
    throw dataError(path, `${file} ${difference}; ${advice}`)
  }
  return { content, source }
}

/** Throws a UserError if a name from a config leads out of the directory of the data. */
export function refuseUnsafe(name: string, path: string): void {
  if (!isSafeName(name))
    throw dataError(
      path,
      `${path} is "${name}", which leads out of the data's directory; expected a name in it`,
    )
}

/** The kind of a folder's entry, following symbolic links. A broken link is `other`. */
export async function kindOf(folder: string, entry: Dirent): Promise<'file' | 'folder' | 'other'> {
  const found = entry.isSymbolicLink() ? await stat(join(folder, entry.name)).catch(() => undefined) : entry
  return found?.isFile() ? 'file' : found?.isDirectory() ? 'folder' : 'other'
}

/**
 * The files below a directory, by their relative names with slashes. Symbolic links that form a
 * cycle are followed once; Node's own recursive listing would not end.
 */
export async function filesBelow(directory: string): Promise<readonly string[]> {
  const found: string[] = []
  const walk = async (folder: string, above: ReadonlySet<string>): Promise<void> => {
    const real = await realpath(join(directory, folder))
    if (above.has(real)) return
    const within = new Set([...above, real])
    const entries = await readdir(join(directory, folder), { withFileTypes: true })
    for (const entry of entries) {
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`
      const kind = await kindOf(join(directory, folder), entry)
      if (kind === 'folder') await walk(name, within)
      else if (kind === 'file') found.push(name)
    }
  }
  await walk('', new Set())
  return found.sort()
}

export function dataError(path: string, message: string): UserError {
  return new UserError([{ message, path }])
}

/** A problem with the bytes of a file. `inFile` adds the name of the file. */
export class FormatError extends Error {
  override readonly name = 'FormatError'
}

/** Runs `read` and turns a FormatError into a UserError with the file's name and the advice. */
export async function inFile<T>(
  file: string,
  { path, advice }: { readonly path: string; readonly advice: string },
  read: () => T | Promise<T>,
): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof FormatError) throw dataError(path, `${file} ${error.message}; ${advice}`)
    throw error
  }
}

/** The first ten problems and the number of the others. */
export function summarised(problems: readonly Problem[], noun: string): readonly Problem[] {
  const more = problems.length - MOST_PROBLEMS
  return more > 0
    ? [...problems.slice(0, MOST_PROBLEMS), { message: `and ${more} more ${noun} like these` }]
    : problems
}

const MOST_PROBLEMS = 10

/** Runs every step in order. All user errors are thrown as one UserError at the end. */
export async function collectProblems<T>(steps: readonly (() => Promise<T>)[]): Promise<readonly T[]> {
  const problems: Problem[] = []
  const results: T[] = []
  for (const step of steps) {
    try {
      results.push(await step())
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      problems.push(...error.problems)
    }
  }
  if (problems.length > 0) throw new UserError(problems)
  return results
}

/** The number of samples per class. */
export function countLabels(labels: Iterable<number>, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0)
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1
  return counts
}
