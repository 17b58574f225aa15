import { constants, readFileSync, statSync, type Stats } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'

/**
 * The file is there, and is nothing that can be read to an end: a FIFO waits for a writer, and a
 * device may have no end. `message` goes behind the file's name.
 */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile'
}

/**
 * Opens a regular file for reading. Throws UnreadableFile, or what the system says, such as ENOENT.
 */
export async function openRegularFile(file: string): Promise<FileHandle> {
  // Judged before it is opened, since opening some devices does something, and after, since it may
  // be another by then.
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
 * Reads a regular file. Throws as `openRegularFile` does, and UnreadableFile where it has more than
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

/** The same for a short text that is needed at once, such as a secret. */
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
 * Why a file of the user's cannot be read, to go behind its name; undefined where the disk is to
 * blame.
 */
export function unreadable(error: unknown): string | undefined {
  if (error instanceof UnreadableFile) return error.message
  return error instanceof Error && 'code' in error ? REASONS[String(error.code)] : undefined
}

/** The same as a sentence of its own, to go behind the file's name and a colon. */
export function whyUnreadable(error: unknown): string | undefined {
  const reason = unreadable(error)
  if (reason === undefined) return undefined
  return reason === 'is missing' ? 'there is no such file' : `this ${reason}`
}
