import { createHash } from 'node:crypto'
import { closeSync, constants, createReadStream, openSync } from 'node:fs'

/** An open file with the digest and the size of its contents. */
export interface OpenedFile {
  /**
   * The caller closes it. It reads the same bytes even after the file was deleted or replaced.
   */
  readonly descriptor: number
  /** Lower-case hexadecimal. */
  readonly sha256: string
  readonly bytes: number
}

const CHUNK = 2 ** 20

/** Opens a file and hashes it in small chunks. Returns undefined if there is no such file. */
export async function openHashed(file: string): Promise<OpenedFile | undefined> {
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
