import type { z } from 'zod'
import { findingsOf } from '../experiment/spec/config-issues.ts'
import { errorMessage, UserError } from '../common/errors.ts'
import { readRegularFile, unreadable } from '../common/regular-file.ts'

/** The largest accepted size in bytes. Config files have a few kB. */
const MOST_BYTES = 16 * 1024 * 1024

/** The config key that errors about a checkpoint's files point at. */
export const CHECKPOINT_PATH = 'model.from'

export function checkpointError(message: string): UserError {
  return new UserError([{ message, path: CHECKPOINT_PATH }])
}

/**
 * Reads a JSON file of a checkpoint or an adapter; undefined if it does not exist. Throws a
 * UserError if it does not match the schema.
 */
export async function readJsonFile<S extends z.ZodType>(
  file: string,
  schema: S,
): Promise<z.output<S> | undefined> {
  const bytes = await readRegularFile(file, { mostBytes: MOST_BYTES }).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    const reason = unreadable(error)
    throw reason === undefined ? error : checkpointError(`${file} ${reason}`)
  })
  if (!bytes) return undefined
  let content: unknown
  try {
    content = JSON.parse(bytes.toString())
  } catch (error) {
    throw checkpointError(`${file} is not JSON: ${errorMessage(error)}`)
  }
  const { success, data } = schema.safeParse(content)
  if (success) return data
  const problems = findingsOf(schema, content).slice(0, 5)
  throw checkpointError(`${file} is not as expected: ${problems.map(({ message }) => message).join('; ')}`)
}
