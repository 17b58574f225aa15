import { sha256 } from '../../experiment/canonical.ts'
import type { ObjectStore, StoredObject } from '../../artifacts/store.ts'

interface Kept {
  readonly bytes: Uint8Array
  readonly modified: number
}

/**
 * A store in memory whose clock a test sets, and whose writes and deletions can be made to fail.
 */
export class MemoryStore implements ObjectStore {
  readonly url = 'file:///memory'
  /** Milliseconds since 1970: the date of what is written. */
  now = Date.parse('2026-01-01T00:00:00Z')
  /** Writes and deletions so far. */
  changes = 0
  /** Called before each of them; what it throws is what a caller gets. */
  onChange: (change: string, count: number) => void = () => undefined
  private readonly objects: Map<string, Kept>

  constructor(objects: ReadonlyMap<string, Kept> = new Map<string, Kept>()) {
    this.objects = new Map(objects)
  }

  /** The same objects with a life of their own. */
  copy(): MemoryStore {
    const copy = new MemoryStore(this.objects)
    copy.now = this.now
    return copy
  }

  get paths(): readonly string[] {
    return [...this.objects.keys()].sort()
  }

  get(path: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.objects.get(path)?.bytes)
  }

  async getHashed(path: string): Promise<{ bytes: Uint8Array; sha256: string } | undefined> {
    const bytes = await this.get(path)
    return bytes && { bytes, sha256: sha256(bytes) }
  }

  async size(path: string): Promise<number | undefined> {
    return (await this.get(path))?.length
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    await this.change(`put ${path}`)
    this.objects.set(path, { bytes, modified: this.now })
  }

  async putIfAbsent(path: string, bytes: Uint8Array): Promise<boolean> {
    await this.change(`put ${path}`)
    if (this.objects.has(path)) return false
    this.objects.set(path, { bytes, modified: this.now })
    return true
  }

  list(prefix: string): Promise<readonly StoredObject[]> {
    const found = [...this.objects].filter(([path]) => path.startsWith(prefix))
    return Promise.resolve(
      found
        .map(([path, { bytes, modified }]) => ({ path, bytes: bytes.length, modified }))
        .sort((a, b) => (a.path < b.path ? -1 : 1)),
    )
  }

  async delete(path: string): Promise<void> {
    await this.change(`delete ${path}`)
    this.objects.delete(path)
  }

  locate(path: string): string {
    return `${this.url}/${path}`
  }

  private change(what: string): Promise<void> {
    return Promise.resolve().then(() => {
      this.onChange(what, ++this.changes)
    })
  }
}
