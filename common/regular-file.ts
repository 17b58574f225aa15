import { constants, readFileSync, statSync, type Stats } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'

/**
 * The file exists, but is not a regular file. Reading it may never end, because a FIFO waits for a
 * writer and a device may be endless. The message continues a sentence that begins with the name of
 * the file.
 */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile'
}

/**
 * Opens a regular file for reading. Throws an UnreadableFile for any other file, and otherwise an
 * error of the system, such as ENOENT.
 */
export async function openRegularFile(file: string): Promise<FileHandle> {
  // Checked before it is opened, since opening a device may have an effect, and again afterwards,
  // since it may have been replaced in the meantime.
  refuseOther(await stat(file))
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    refuseOther(await handle.stat())
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

/**
 * Reads a regular file. Throws as `openRegularFile` does, and an UnreadableFile if it has more than
 * `mostBytes`.
 */
export async function readRegularFile(
  file: string,
  { mostBytes = Infinity }: { readonly mostBytes?: number } = {},
): Promise<Buffer> {
  const handle = await openRegularFile(file)
  try {
    const { size } = await handle.stat()
    if (size > mostBytes) throw new UnreadableFile(`has ${size} bytes, expected ${mostBytes} at most`)
    return await handle.readFile()
  } finally {
    await handle.close()
  }
}

/** Reads a short regular file synchronously. Throws as `openRegularFile` does. */
export function readRegularFileSync(file: string): Buffer {
  refuseOther(statSync(file))
  return readFileSync(file)
}

function refuseOther(found: Stats): void {
  if (found.isFile()) return
  if (found.isDirectory()) throw new UnreadableFile('is a directory, expected a file')
  const kind = found.isFIFO()
    ? 'a FIFO'
    : found.isSocket()
      ? 'a socket'
      : found.isCharacterDevice() || found.isBlockDevice()
        ? 'a device'
        : 'no file'
  throw new UnreadableFile(`is ${kind}, expected a regular file`)
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'is missing',
  ENOTDIR: 'is missing: what should be its directory is a file',
  EACCES: 'may not be read by this user',
  ELOOP: 'is a symbolic link that leads back to itself',
  ENAMETOOLONG: 'has a name that is too long',
}

/**
 * The reason why a file cannot be read, to continue a sentence that begins with its name. Returns
 * undefined for a failure of the disk, which the user cannot change.
 */
export function unreadable(error: unknown): string | undefined {
  if (error instanceof UnreadableFile) return error.message
  return error instanceof Error && 'code' in error ? REASONS[String(error.code)] : undefined
}

/** The same reason as a sentence of its own, to follow the name of the file and a colon. */
export function whyUnreadable(error: unknown): string | undefined {
  const reason = unreadable(error)
  if (reason === undefined) return undefined
  return reason === 'is missing' ? 'there is no such file' : `this ${reason}`
}
