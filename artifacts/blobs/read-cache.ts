import { randomUUID } from 'node:crypto'
import { closeSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../../common/canonical.ts'
import { UserError } from '../../common/errors.ts'
import type { BlobRef } from '../../experiment/records/manifest.ts'
import { cacheDirectory } from '../../host/cache.mjs'
import { exclusively } from '../../host/lock.mjs'
import { openChecked } from './open-checked.ts'

/** A file of this kind that is older was left by a process that is gone. */
const WRITING = '.writing-'
const LEFT_MS = 60 * 60 * 1000

/**
 * Blobs of remote stores on this machine's disk, files named by their SHA-256 and their store, for all processes together. It only
 * saves time: what is damaged counts as absent, and nothing that goes wrong here fails a read. Of another store's blobs nothing is
 * answered, even to whoever knows their digests.
 */
export class ReadCache {
  private readonly directory: string
  private readonly limit: number
  private readonly store: string
  /** Bytes put since the files were last counted. */
  private sinceCount = Infinity

  /** `limit` in bytes. Processes that fill it at the same time may pass it by a twentieth each. */
  constructor(directory: string, limit: number, store: string) {
    this.directory = directory
    this.limit = limit
    this.store = sha256(store).slice(0, 16)
  }

  async get(digest: string): Promise<Uint8Array | undefined> {
    const file = this.file(digest)
    try {
      const bytes = await readFile(file)
      if (sha256(bytes) === digest) {
        // The time of last use: what the oldest files are told by.
        await utimes(file, new Date(), new Date()).catch(() => undefined)
        return bytes
      }
      await rm(file, { force: true })
    } catch {
      // Absent or unreadable: the store has it.
    }
    return undefined
  }

  async put(digest: string, bytes: Uint8Array): Promise<void> {
    if (bytes.length > this.limit / 2) return
    const aside = join(this.directory, `${WRITING}${randomUUID()}`)
    try {
      await mkdir(this.directory, { recursive: true })
      this.sinceCount += bytes.length
      if (this.sinceCount > this.limit / 20) await this.makeRoom(bytes.length)
      await writeFile(aside, bytes)
      await rename(aside, this.file(digest))
    } catch {
      await rm(aside, { force: true }).catch(() => undefined)
    }
  }

  /** Whether files of so many bytes stay here together. */
  hasRoomFor(bytes: number): boolean {
    return bytes < 0.9 * this.limit
  }

  /** A file with these bytes, open. It is fetched where it is not there, by one process at a time. */
  async open(digest: string, fetch: () => Promise<Uint8Array>): Promise<number> {
    const kept = await this.opened(digest)
    if (kept !== undefined) return kept
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
    const opened = await openChecked(file)
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

  /** Removes the files that were not used for longest, down to a twentieth below the limit. */
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
      if (room < 0 || (name.startsWith(WRITING) && Date.now() - used > LEFT_MS))
        await rm(file, { force: true })
    }
    this.sinceCount = bytes
  }
}

/** Throws a UserError where blobs, of which parts are read again and again, would not stay in the cache together. */
export function refuseWithoutRoom(blobs: readonly BlobRef[], cache: ReadCache | undefined): void {
  const bytes = blobs.reduce((sum, blob) => sum + blob.bytes, 0)
  if (cache?.hasRoomFor(bytes)) return
  throw new UserError(
    `the data set has ${(bytes / 1e9).toFixed(1)} GB of pixels, and this machine's cache of blobs has no room for them; ` +
      `set ZEROSHIFT_BLOB_CACHE_GB to ${Math.ceil(bytes / 0.85e9)} or more`,
  )
}

/**
 * The cache of this machine for a store of that URL, in `blobs` of the cache directory. ZEROSHIFT_BLOB_CACHE_GB is its size, 10 unless set;
 * undefined where it is 0. Throws a UserError where it is not a number.
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
