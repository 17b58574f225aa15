import { sha256 } from '../../experiment/canonical.ts'
import type { ObjectStore } from '../../artifacts/store.ts'

/** A store in memory, for tests that make thousands. */
export class MemoryStore implements ObjectStore {
  readonly url: string
  readonly objects: Map<string, Uint8Array>
  /** Writes and deletions that still go through; then all fail. */
  writesLeft = Infinity
  /** Paths that were written or deleted, in order. */
  readonly written: string[] = []

  constructor(url: string, objects: Iterable<readonly [string, Uint8Array]> = []) {
    this.url = url
    this.objects = new Map(objects)
  }

  get(path: string) {
    return Promise.resolve(this.objects.get(path))
  }

  async getHashed(path: string) {
    const bytes = await this.get(path)
    return bytes && { bytes, sha256: sha256(bytes) }
  }

  async size(path: string) {
    return (await this.get(path))?.length
  }

  put(path: string, bytes: Uint8Array) {
    return this.writing(path, () => void this.objects.set(path, bytes))
  }

  async putIfAbsent(path: string, bytes: Uint8Array) {
    const isAbsent = !this.objects.has(path)
    if (isAbsent) await this.put(path, bytes)
    return isAbsent
  }

  list(prefix: string) {
    const found = [...this.objects].filter(([path]) => path.startsWith(prefix))
    return Promise.resolve(
      found
        .map(([path, { length }]) => ({ path, bytes: length, modified: 0 }))
        .sort((a, b) => (a.path < b.path ? -1 : 1)),
    )
  }

  delete(path: string) {
    return this.writing(path, () => void this.objects.delete(path))
  }

  locate(path: string) {
    return `${this.url}/${path}`
  }

  private writing(path: string, write: () => void): Promise<void> {
    if (this.writesLeft-- <= 0) return Promise.reject(new Error(`no write to ${path} goes through`))
    this.written.push(path)
    write()
    return Promise.resolve()
  }
}
