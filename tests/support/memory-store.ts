import { sha256 } from '../../common/canonical.ts'
import type { ObjectStore, StoredObject } from '../../artifacts/store/object-store.ts'

/**
 * A store in memory, for tests that make thousands. Tests set its clock and let writes and
 * deletions fail.
 */
export class MemoryStore implements ObjectStore {
  readonly url: string
  readonly objects: Map<string, Uint8Array>
  /** Milliseconds since 1970: the date of what is written. */
  now = Date.parse('2026-01-01T00:00:00Z')
  /** Paths that were written or deleted, in order. */
  readonly written: string[] = []
  /** Writes and deletions that still go through; then all fail. */
  writesLeft = Infinity
  /** Writes and deletions so far, those that failed included. */
  changes = 0
  /** Called before each of them; what it throws is what a caller gets. */
  onChange: (change: string, count: number) => void = () => undefined
  private readonly dates = new Map<string, number>()

  constructor(url = 'file:///memory', objects: Iterable<readonly [string, Uint8Array]> = []) {
    this.url = url
    this.objects = new Map(objects)
  }

  /** Returns an independent copy with the same objects. */
  copy(): MemoryStore {
    const copy = new MemoryStore(this.url, this.objects)
    for (const [path, date] of this.dates) copy.dates.set(path, date)
    copy.now = this.now
    return copy
  }

  get paths(): readonly string[] {
    return [...this.objects.keys()].sort()
  }

  get(path: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.objects.get(path))
  }

  async getHashed(path: string): Promise<{ bytes: Uint8Array; sha256: string } | undefined> {
    const bytes = await this.get(path)
    return bytes && { bytes, sha256: sha256(bytes) }
  }

  async size(path: string): Promise<number | undefined> {
    return (await this.get(path))?.length
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    await this.change('put', path)
    this.set(path, bytes)
  }

  async putIfAbsent(path: string, bytes: Uint8Array): Promise<boolean> {
    await this.change('put', path)
    if (this.objects.has(path)) return false
    this.set(path, bytes)
    return true
  }

  list(prefix: string): Promise<readonly StoredObject[]> {
    const found = [...this.objects].filter(([path]) => path.startsWith(prefix))
    return Promise.resolve(
      found
        .map(([path, { length }]) => ({ path, bytes: length, modified: this.dates.get(path) ?? 0 }))
        .sort((a, b) => (a.path < b.path ? -1 : 1)),
    )
  }

  async delete(path: string): Promise<void> {
    await this.change('delete', path)
    this.objects.delete(path)
  }

  locate(path: string): string {
    return `${this.url}/${path}`
  }

  private set(path: string, bytes: Uint8Array): void {
    this.objects.set(path, bytes)
    this.dates.set(path, this.now)
  }

  private change(what: string, path: string): Promise<void> {
    return Promise.resolve().then(() => {
      this.onChange(`${what} ${path}`, ++this.changes)
      if (this.writesLeft-- <= 0) throw new Error(`no write to ${path} goes through`)
      this.written.push(path)
    })
  }
}
