import { randomUUID } from 'node:crypto'
import { lstat, open, rename, rm, type FileHandle } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Header, Pax } from 'tar'
import { sha256 } from '../../common/canonical.ts'
import { UserError } from '../../common/errors.ts'
import { openRegularFile, whyUnreadable } from '../../common/regular-file.ts'
import { allSettled, batches } from '../../common/concurrency.ts'
import { formatPath } from '../format/store-format.ts'
import { BLOCK, headerOf, padding } from '../format/tar-blocks.ts'
import type { HashedBytes, ObjectStore, StoredObject } from '../store/object-store.ts'
import { unwritable } from '../../common/unwritable.ts'

/** An object to be written to an archive. */
export interface ArchivedObject {
  readonly path: string
  readonly bytes: number
  readonly read: () => Promise<Uint8Array>
}

/** The most objects and bytes that are read ahead. A larger object is read alone. */
const READ_AHEAD = { most: 16, bytes: 256e6 }

/**
 * Writes objects to a new POSIX tar file, sorted by path, without times and owners, so that equal
 * objects give equal bytes. The file appears only when it is complete. Throws a UserError if a file
 * of that name exists, or if it cannot be written.
 */
export async function writeArchive(
  file: string,
  objects: readonly ArchivedObject[],
  onObject: (object: ArchivedObject) => void,
): Promise<void> {
  const sorted = [...objects].sort((a, b) => (a.path < b.path ? -1 : 1))
  if (await lstat(file).catch(() => undefined))
    throw new UserError(`${file} is there already, and nothing is overwritten; name a new file`)
  const unfinished = `${resolve(file)}.${randomUUID()}`
  const handle = await open(unfinished, 'wx').catch((error: unknown) => {
    throw new UserError(`${file} cannot be written: ${unwritable(error)}; name another file`)
  })
  try {
    for (const some of batches(sorted, READ_AHEAD)) {
      const read = await allSettled(some.map(async (object) => ({ object, bytes: await object.read() })))
      for (const { object, bytes } of read) {
        await append(handle, headerOf(object.path, bytes.length))
        await append(handle, bytes)
        await append(handle, Buffer.alloc(padding(bytes.length)))
        onObject(object)
      }
    }
    await append(handle, Buffer.alloc(2 * BLOCK))
    await handle.sync()
    await rename(unfinished, resolve(file))
  } finally {
    await handle.close()
    await rm(unfinished, { force: true })
  }
}

async function append(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  // One call writes at most 2 GB.
  for (let at = 0; at < bytes.length;) at += (await handle.write(bytes, at)).bytesWritten
}

/** The names of the objects that an archive may hold. */
const names = [
  /^store\.json$/,
  /^blobs\/sha256\/([0-9a-f]{2})\/\1[0-9a-f]{62}$/,
  /^stages\/[a-z]+\/[0-9a-f]{64}\/(manifest\.json|signatures\/\w[\w.:=+-]{0,199}\.json)$/,
  /^runs\/(?![^/]{161})[\w-]+(\.[\w-]+)*\/(run\.json|own\.json|labels\.json|report\/report\.json)$/,
  /^runs\/(?![^/]{161})[\w-]+(\.[\w-]+)*\/report\.signatures\/\w[\w.:=+-]{0,199}\.json$/,
  /^sweeps\/(?![^/]{161})[\w-]+(\.[\w-]+)*\/sweep\.json$/,
]
const MOST_OBJECTS = 1_000_000
/** The largest size of an object that is not a blob. Manifests give the sizes of blobs. */
const MOST_TEXT = 2 ** 28
const MOST_EXTENDED = 2 ** 16

/** The byte range of a member in the file. */
interface Place {
  readonly at: number
  readonly bytes: number
}

/**
 * An archive as a read-only store. It may come from anybody. The names, the sizes and the types of
 * its members are checked here, and their contents as in any store.
 */
export class ArchiveStore implements ObjectStore {
  readonly url: string
  private readonly handle: FileHandle
  private readonly places: ReadonlyMap<string, Place>

  private constructor(file: string, handle: FileHandle, places: ReadonlyMap<string, Place>) {
    this.url = pathToFileURL(resolve(file)).href
    this.handle = handle
    this.places = places
  }

  /** Opens an archive. Throws a UserError if the file is not a valid archive. */
  static async open(file: string): Promise<ArchiveStore> {
    const handle = await openRegularFile(file).catch((error: unknown) => {
      const reason = whyUnreadable(error)
      if (reason === undefined) throw error
      throw new UserError([{ file, message: `${reason}; expected a file that \`store export\` wrote` }])
    })
    try {
      return new ArchiveStore(file, handle, await membersOf(file, handle))
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  close(): Promise<void> {
    return this.handle.close()
  }

  /** All paths, in the order of the archive. */
  paths(): readonly string[] {
    return [...this.places.keys()]
  }

  async get(path: string): Promise<Uint8Array | undefined> {
    const place = this.places.get(path)
    return place && readAt(this.handle, place)
  }

  async getHashed(path: string): Promise<HashedBytes | undefined> {
    const bytes = await this.get(path)
    return bytes && { bytes, sha256: sha256(bytes) }
  }

  size(path: string): Promise<number | undefined> {
    return Promise.resolve(this.places.get(path)?.bytes)
  }

  list(prefix: string): Promise<readonly StoredObject[]> {
    const objects = [...this.places].filter(([path]) => path.startsWith(prefix))
    return Promise.resolve(
      objects
        .map(([path, { bytes }]) => ({ path, bytes, modified: 0 }))
        .sort((a, b) => (a.path < b.path ? -1 : 1)),
    )
  }

  locate(path: string): string {
    return `${this.url}#${path}`
  }

  put(path: string): Promise<void> {
    return Promise.reject(this.unwritable(path))
  }

  putIfAbsent(path: string): Promise<boolean> {
    return Promise.reject(this.unwritable(path))
  }

  delete(path: string): Promise<void> {
    return Promise.reject(this.unwritable(path))
  }

  private unwritable(path: string): Error {
    return new Error(`${this.locate(path)} cannot be changed: it is in an archive`)
  }
}

/** Reads the headers of all members. Throws a UserError for an archive that is not valid. */
async function membersOf(file: string, handle: FileHandle): Promise<ReadonlyMap<string, Place>> {
  const refuse = (what: string) =>
    new UserError([{ file, message: `${what}; expected an unchanged file that \`store export\` wrote` }])
  const { size: end } = await handle.stat()
  const places = new Map<string, Place>()
  let extended: Pax | undefined
  for (let at = 0; ;) {
    if (at + BLOCK > end) throw refuse(`the archive ends in the middle, after ${end} bytes`)
    const block = await readAt(handle, { at, bytes: BLOCK })
    if (block.every((byte) => byte === 0)) break
    const header = new Header(block, 0, extended)
    const { size = -1, cksumValid, type } = header
    const path = extended?.path ?? header.path ?? ''
    if (!cksumValid || !(Number.isSafeInteger(size) && size >= 0))
      throw refuse(`the archive has no tar header at byte ${at}`)
    const place = { at: at + BLOCK, bytes: size }
    if (place.at + size > end) throw refuse(`the archive ends in the middle of "${path}"`)
    at = place.at + size + padding(size)
    if (type === 'ExtendedHeader' && !extended && size <= MOST_EXTENDED) {
      extended = Pax.parse((await readAt(handle, place)).toString())
      continue
    }
    extended = undefined
    if (type !== 'File') throw refuse(`the archive holds "${path}", which is no regular file`)
    if (!names.some((name) => name.test(path)))
      throw refuse(`the archive holds "${path}", a name that nothing in a store has`)
    if (!path.startsWith('blobs/') && size > MOST_TEXT)
      throw refuse(`the archive holds "${path}" with ${size} bytes, more than ${MOST_TEXT}`)
    if (places.has(path)) throw refuse(`the archive holds "${path}" twice`)
    places.set(path, place)
    if (places.size > MOST_OBJECTS) throw refuse(`the archive holds more than ${MOST_OBJECTS} files`)
  }
  if (!places.has(formatPath)) throw refuse(`the archive has no ${formatPath}`)
  return places
}

async function readAt(handle: FileHandle, { at, bytes }: Place): Promise<Buffer> {
  const into = Buffer.alloc(bytes)
  for (let done = 0; done < bytes;) {
    const { bytesRead } = await handle.read(into, done, bytes - done, at + done)
    if (bytesRead === 0) throw new Error('the archive was cut short while it was read')
    done += bytesRead
  }
  return into
}
