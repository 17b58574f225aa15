import { setTimeout as sleep } from 'node:timers/promises'
import { EventTexts, type EventClient } from './event-client.ts'
import type { Snapshot, Wanted } from './run-reader.ts'

export interface PollerOptions {
  readonly read: (wanted: Wanted) => Promise<Snapshot>
  /** Waits before the next reading. Rejects if the signal is aborted. */
  readonly pause?: (signal: AbortSignal) => Promise<void>
  /** Is called with the error of a reading. The next reading may succeed. */
  readonly onError?: (error: unknown) => void
}

const EVERY_MS = 1000
const OLD_MS = 10_000
const nothing: Wanted = { runs: new Set(), sweeps: new Set() }

/**
 * Reads the state of all runs again and again for all clients together, as long as there are any.
 * Requests share its last reading.
 */
export class Poller {
  private readonly options: PollerOptions
  private readonly clients = new Set<EventClient>()
  private last: { readonly snapshot: Snapshot; readonly at: number } | undefined
  private reading: Promise<Snapshot> | undefined
  private stopped = new AbortController()

  constructor(options: PollerOptions) {
    this.options = options
  }

  /** The number of clients. */
  get size(): number {
    return this.clients.size
  }

  /** Adds a client, which gets the state at once. Returns a function that removes it. */
  listen(client: EventClient): () => void {
    this.clients.add(client)
    if (this.clients.size === 1) {
      this.stopped = new AbortController()
      void this.poll(this.stopped.signal)
    } else if (this.last) client.update(new EventTexts(this.last.snapshot))
    return () => {
      this.clients.delete(client)
      if (this.clients.size === 0) this.stopped.abort()
    }
  }

  /**
   * The state that was last read. If it is older than a second, it is read again in the background,
   * and if it is older than ten seconds, the caller waits for that.
   */
  async latest(): Promise<Snapshot> {
    const { last } = this
    const age = last ? performance.now() - last.at : Infinity
    if (!last || age > OLD_MS) return this.read()
    if (age > EVERY_MS) this.read().catch(this.options.onError ?? (() => undefined))
    return last.snapshot
  }

  /** Makes the next request read the state anew. */
  expire(): void {
    this.last = undefined
  }

  stop(): void {
    this.clients.clear()
    this.stopped.abort()
  }

  private async poll(signal: AbortSignal): Promise<void> {
    const { pause = (until) => sleep(EVERY_MS, undefined, { signal: until, ref: false }), onError } =
      this.options
    while (!signal.aborted) {
      try {
        const texts = new EventTexts(await this.read())
        if (signal.aborted) return
        for (const client of this.clients) client.update(texts)
      } catch (error) {
        onError?.(error)
      }
      try {
        await pause(signal)
      } catch {
        return
      }
    }
  }

  private read(): Promise<Snapshot> {
    this.reading ??= this.options
      .read(this.wanted())
      .then((snapshot) => {
        this.last = { snapshot, at: performance.now() }
        return snapshot
      })
      .finally(() => {
        this.reading = undefined
      })
    return this.reading
  }

  private wanted(): Wanted {
    if (this.clients.size === 0) return nothing
    const topics = [...this.clients].map((client) => client.topics)
    return {
      runs: new Set(topics.flatMap(({ run }) => run ?? [])),
      sweeps: new Set(topics.flatMap(({ sweep }) => sweep ?? [])),
    }
  }
}
