import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../common/canonical.ts'
import type { DatasetFacts } from '../experiment/spec/dataset.ts'
import { UserError, type Problem } from '../common/errors.ts'
import { readRegularFile, unreadable } from '../common/regular-file.ts'
import { isSafeName } from '../common/safe-name.ts'

/** A file as its publisher made it. */
export interface KnownFile {
  readonly bytes: number
  readonly sha256: string
}

export type SourceFile = DatasetFacts['sources'][number]

/** Reads a data file. `path` is where the config names it; `advice` says what to do when it is wrong. */
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

/** A name comes from a config; it must not lead out of the directory that the config names beside it. */
export function refuseUnsafe(name: string, path: string): void {
  if (!isSafeName(name))
    throw dataError(
      path,
      `${path} is "${name}", which leads out of the data's directory; expected a name in it`,
    )
}

/**
 * What an entry of a folder is, where a symbolic link leads included; a link that leads nowhere is
 * none of the two.
 */
export async function kindOf(folder: string, entry: Dirent): Promise<'file' | 'folder' | 'other'> {
  const found = entry.isSymbolicLink() ? await stat(join(folder, entry.name)).catch(() => undefined) : entry
  return found?.isFile() ? 'file' : found?.isDirectory() ? 'folder' : 'other'
}

/**
 * The files below a directory, by their names relative to it, with slashes between folders.
 * Symbolic links are followed once: Node's own recursive listing follows those that lead back for
 * ever.
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

/** What is wrong with the bytes of a file; who knows the file says which it is (`inFile`). */
export class FormatError extends Error {
  override readonly name = 'FormatError'
}

/** Reads what a file holds; an error of its format becomes the user's, with the file's name before and advice after it. */
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

/** The first problems, and how many more there are. */
export function summarised(problems: readonly Problem[], noun: string): readonly Problem[] {
  const more = problems.length - MOST_PROBLEMS
  return more > 0
    ? [...problems.slice(0, MOST_PROBLEMS), { message: `and ${more} more ${noun} like these` }]
    : problems
}

const MOST_PROBLEMS = 10

/** Runs every step, and throws all user errors as one. */
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

/** Samples per class. */
export function countLabels(labels: Iterable<number>, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0)
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1
  return counts
}
