import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../../experiment/canonical.ts'
import type { DatasetFacts } from '../../experiment/dataset.ts'
import { UserError, type Problem } from '../../experiment/errors.ts'
import { isSafeName } from '../../experiment/safe-name.ts'

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
  const content = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    const reason = unreadable[error.code ?? '']
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

const unreadable: Readonly<Record<string, string>> = {
  ENOENT: 'is missing',
  ENOTDIR: 'is missing: what should be its directory is a file',
  EISDIR: 'is a directory, expected a file',
  EACCES: 'may not be read by this user',
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
