/** A cache of the values that were used last. The one that was not used for longest goes first. */
export class LatestCache<V> {
  readonly most: number
  private readonly values = new Map<string, V>()

  /** @param most the largest number of values */
  constructor(most: number) {
    this.most = most
  }

  get size(): number {
    return this.values.size
  }

  get(key: string): V | undefined {
    const value = this.values.get(key)
    if (value === undefined) return undefined
    this.values.delete(key)
    this.values.set(key, value)
    return value
  }

  set(key: string, value: V): void {
    this.values.delete(key)
    this.values.set(key, value)
    const [oldest] = this.values.keys()
    if (this.values.size > this.most && oldest !== undefined) this.values.delete(oldest)
  }

  delete(key: string): void {
    this.values.delete(key)
  }
}
