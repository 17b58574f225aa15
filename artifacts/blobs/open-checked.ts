import { createHash } from 'node:crypto'
import { closeSync, constants, createReadStream, openSync } from 'node:fs'

/** A file that is open, and what is in it. */
export interface Opened {
  /** The caller's to close. It stays readable, the same bytes, when the file is deleted or replaced. */
  readonly descriptor: number
  /** Lower-case hexadecimal. */
  readonly sha256: string
  readonly bytes: number
}

const CHUNK = 2 ** 20

/** Opens a file and hashes it, a little at a time; undefined where there is none. */
export async function openChecked(file: string): Promise<Opened | undefined> {
  let descriptor: number
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  try {
    const hash = createHash('sha256')
    let bytes = 0
    const chunks = createReadStream(file, {
      fd: descriptor,
      start: 0,
      autoClose: false,
      highWaterMark: CHUNK,
    }) as AsyncIterable<Buffer>
    for await (const chunk of chunks) {
      hash.update(chunk)
      bytes += chunk.length
    }
    return { descriptor, sha256: hash.digest('hex'), bytes }
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}
