import { randomUUID } from 'node:crypto'
import { link, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { sha256 } from '../../common/canonical.ts'
import { errorMessage, UserError } from '../../common/errors.ts'
import { readRegularFile, UnreadableFile } from '../../common/regular-file.ts'
import { traffic } from './events.ts'
import { makeFolder } from '../../common/make-folder.ts'
import type { HashedBytes, ObjectStore, StoredObject } from './object-store.ts'

/**
 * A store in a directory. Writes are atomic: bytes go to a temporary file, reach the disk, and the
 * file is then renamed (`put`) or linked (`putIfAbsent`, which fails if the name is taken).
 */
export class FileStore implements ObjectStore {
  readonly url: string
  private readonly root: string

  constructor(root: string) {
    this.root = resolve(root)
    this.url = pathToFileURL(this.root).href
  }

  async get(path: string): Promise<Uint8Array | undefined> {
    const bytes = await unlessMissing(readRegularFile(this.file(path)), this.file(path))
    if (bytes) traffic.publish({ direction: 'read', bytes: bytes.length })
    return bytes
  }

  async getHashed(path: string): Promise<HashedBytes | undefined> {
    const bytes = await this.get(path)
    return bytes && { bytes, sha256: sha256(bytes) }
  }

  async size(path: string): Promise<number | undefined> {
    return (await unlessMissing(stat(this.file(path)), this.file(path)))?.size
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    await this.staged(path, bytes, (temporary, file) => rename(temporary, file))
  }

  async putIfAbsent(path: string, bytes: Uint8Array): Promise<boolean> {
    let absent = true
    await this.staged(path, bytes, async (temporary, file) => {
      try {
        await link(temporary, file)
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error
        absent = false
      }
    })
    return absent
  }

  async list(prefix: string): Promise<readonly StoredObject[]> {
    const directory = this.file(prefix)
    const entries = await unlessMissing(
      readdir(directory, { recursive: true, withFileTypes: true }),
      directory,
    )
    const files = (entries ?? []).filter((entry) => entry.isFile())
    const objects = await Promise.all(
      files.map(async (entry) => {
        const file = join(entry.parentPath, entry.name)
        const status = await unlessMissing(stat(file), file)
        if (entry.name.startsWith(temporaryPrefix)) {
          if (status && Date.now() - status.mtimeMs > ABANDONED_MS)
            await rm(file, { force: true }).catch(() => undefined)
          return undefined
        }
        const path = relative(this.root, file).split(sep).join('/')
        return status && { path, bytes: status.size, modified: status.mtimeMs }
      }),
    )
    return objects.filter((object) => object !== undefined).sort((a, b) => (a.path < b.path ? -1 : 1))
  }

  async delete(path: string): Promise<void> {
    await rm(this.file(path), { force: true })
  }

  locate(path: string): string {
    return pathToFileURL(this.file(path)).href
  }

  private file(path: string): string {
    const file = resolve(this.root, path)
    if (path.split('/').includes('..') || (file !== this.root && !file.startsWith(this.root + sep))) {
      throw new Error(`the path "${path}" leads out of the store ${this.root}`)
    }
    return file
  }

  private async staged(
    path: string,
    bytes: Uint8Array,
    publish: (temporary: string, file: string) => Promise<void>,
  ) {
    const file = this.file(path)
    const temporary = join(dirname(file), `${temporaryPrefix}${randomUUID()}`)
    try {
      await makeFolder(dirname(file))
      const handle = await open(temporary, 'wx')
      try {
        await handle.writeFile(bytes)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await publish(temporary, file)
      traffic.publish({ direction: 'written', bytes: bytes.length })
    } catch (error) {
      throw new Error(`cannot write ${bytes.length} bytes to ${file}: ${errorMessage(error)}`, {
        cause: error,
      })
    } finally {
      await rm(temporary, { force: true }).catch(() => undefined)
    }
  }
}

const temporaryPrefix = '.writing-'
/** A temporary file that is older belongs to a process that was killed. `list` deletes it. */
const ABANDONED_MS = 24 * 60 * 60 * 1000

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}

async function unlessMissing<T>(result: Promise<T>, file: string): Promise<T | undefined> {
  try {
    return await result
  } catch (error) {
    if (error instanceof UnreadableFile) throw new UserError([{ file, message: `this ${error.message}` }])
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
    throw new Error(`cannot read ${file}: ${errorMessage(error)}`, { cause: error })
  }
}
