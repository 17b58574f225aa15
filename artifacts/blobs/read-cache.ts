import { randomUUID } from 'node:crypto'
import { closeSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../../common/canonical.ts'
import { UserError } from '../../common/errors.ts'
import type { BlobRef } from '../../experiment/records/manifest.ts'
import { cacheDirectory } from '../../host/cache.mjs'
import { exclusively } from '../../host/lock.mjs'
import { openHashed } from './open-hashed.ts'

const TEMPORARY_PREFIX = '.writing-'
/** A temporary file that is older belongs to a process that was killed. */
const ABANDONED_MS = 60 * 60 * 1000

/**
 * A cache on this machine's disk for the blobs of remote stores, which all processes share. Its
 * files are named by the SHA-256 of the blob and by the store. The cache only saves time: a damaged
 * file counts as absent, and no failure of the cache fails a read. It never returns a blob of
 * another store, even to a caller who knows the digest.
 */
export class ReadCache {
  private readonly directory: string
  private readonly limit: number
  private readonly store: string
  /** The bytes that were written since the size of the cache was last measured. */
  private sinceCount = Infinity

  /**
   * @param limit the largest size of the cache in bytes. Each of several processes that fill it at
   *   the same time may exceed the limit by a twentieth
   * @param store the URL of the store
   */
  constructor(directory: string, limit: number, store: string) {
    this.directory = directory
    this.limit = limit
    this.store = sha256(store).slice(0, 16)
  }

  /** The bytes of a blob, verified. Returns undefined if the cache does not have them. */
  async get(digest: string): Promise<Uint8Array | undefined> {
    const file = this.file(digest)
    try {
      const bytes = await readFile(file)
      if (sha256(bytes) === digest) {
        // Records the time of the last use. The files that were not used for longest are deleted
        // first.
        await utimes(file, new Date(), new Date()).catch(() => undefined)
        return bytes
      }
      await rm(file, { force: true })
    } catch {
      // The file is absent or cannot be read. The caller reads from the store.
    }
    return undefined
  }

  /** Adds a blob, unless it is too large or cannot be written. */
  async put(digest: string, bytes: Uint8Array): Promise<void> {
    if (bytes.length > this.limit / 2) return
    const temporary = join(this.directory, `${TEMPORARY_PREFIX}${randomUUID()}`)
    try {
      await mkdir(this.directory, { recursive: true })
      this.sinceCount += bytes.length
      if (this.sinceCount > this.limit / 20) await this.makeRoom(bytes.length)
      await writeFile(temporary, bytes)
      await rename(temporary, this.file(digest))
    } catch {
      await rm(temporary, { force: true }).catch(() => undefined)
    }
  }

  /** Deletes a blob from the cache. */
  async delete(digest: string): Promise<void> {
    await rm(this.file(digest), { force: true })
  }

  /** Whether blobs of this total size fit into the cache at the same time. */
  hasRoomFor(bytes: number): boolean {
    return bytes < 0.9 * this.limit
  }

  /**
   * Opens a blob as a file and returns the descriptor, which the caller closes. If the cache does
   * not have the blob, `fetch` supplies it. Only one process of this machine fetches it at a time.
   */
  async open(digest: string, fetch: () => Promise<Uint8Array>): Promise<number> {
    const cached = await this.opened(digest)
    if (cached !== undefined) return cached
    await mkdir(this.directory, { recursive: true })
    return exclusively(this.file(digest), async () => {
      const other = await this.opened(digest)
      if (other !== undefined) return other
      await this.put(digest, await fetch())
      const own = await this.opened(digest)
      if (own === undefined)
        throw new Error(`${this.file(digest)} cannot be written, or is gone again at once`)
      return own
    })
  }

  private async opened(digest: string): Promise<number | undefined> {
    const file = this.file(digest)
    const opened = await openHashed(file)
    if (!opened) return undefined
    await utimes(file, new Date(), new Date()).catch(() => undefined)
    if (opened.sha256 === digest) return opened.descriptor
    closeSync(opened.descriptor)
    await rm(file, { force: true })
    return undefined
  }

  private file(digest: string): string {
    return join(this.directory, `${digest}-${this.store}`)
  }

  /**
   * Deletes the files that were not used for longest, until `bytes` more leave a twentieth of the
   * limit free.
   */
  private async makeRoom(bytes: number): Promise<void> {
    const names = await readdir(this.directory)
    const files = await Promise.all(
      names.map(async (name) => {
        const file = join(this.directory, name)
        const status = await stat(file).catch(() => undefined)
        return status && { file, name, bytes: status.size, used: status.mtimeMs }
      }),
    )
    const newestFirst = files.filter((file) => file !== undefined).sort((a, b) => b.used - a.used)
    let room = 0.95 * this.limit - bytes
    for (const { file, name, bytes: size, used } of newestFirst) {
      room -= size
      if (room < 0 || (name.startsWith(TEMPORARY_PREFIX) && Date.now() - used > ABANDONED_MS))
        await rm(file, { force: true })
    }
    this.sinceCount = bytes
  }
}

/**
 * Throws a UserError if blobs do not fit into the cache at the same time. Parts of them are read
 * repeatedly, so that they would have to be fetched again and again.
 */
export function refuseWithoutRoom(blobs: readonly BlobRef[], cache: ReadCache | undefined): void {
  const bytes = blobs.reduce((sum, blob) => sum + blob.bytes, 0)
  if (cache?.hasRoomFor(bytes)) return
  throw new UserError(
    `the data set has ${(bytes / 1e9).toFixed(1)} GB of pixels, and this machine's cache of blobs has no room for them; ` +
      `set ZEROSHIFT_BLOB_CACHE_GB to ${Math.ceil(bytes / 0.85e9)} or more`,
  )
}

/**
 * The cache of this machine for the store with that URL. It is in `blobs` of the cache directory,
 * and its size in gigabytes is ZEROSHIFT_BLOB_CACHE_GB, by default 10. Returns undefined if the
 * size is 0. Throws a UserError if it is not a number.
 */
export function readCache(store: string, env: NodeJS.ProcessEnv = process.env): ReadCache | undefined {
  const text = env.ZEROSHIFT_BLOB_CACHE_GB ?? '10'
  const gigabytes = text.trim() === '' ? NaN : Number(text)
  if (!(gigabytes >= 0 && gigabytes < Infinity))
    throw new UserError(
      `ZEROSHIFT_BLOB_CACHE_GB is "${text}"; expected a size in gigabytes, or 0 for no cache of blobs`,
    )
  return gigabytes === 0 ? undefined : new ReadCache(join(cacheDirectory(), 'blobs'), gigabytes * 1e9, store)
}
