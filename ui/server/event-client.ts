import { sweepNews } from './answers/sweep-entry.ts'
import type { Snapshot } from './run-reader.ts'

/** The stream to a client. `write` returns false until the client has read what was written. */
export interface EventStream {
  write(text: string): boolean
  once(event: 'drain', listener: () => void): unknown
  destroy(): void
}

/** What a client listens to, besides the list of runs. */
export interface Topics {
  readonly run?: string | undefined
  readonly sweep?: string | undefined
}

/** A client that has not read for this many updates is dropped. */
const MOST_MISSED = 120
/** After this many updates without news, a comment keeps the connection open. */
const QUIET_UPDATES = 15

/**
 * A client of the server-sent events. It holds no queue: a client that is slow misses updates and
 * then gets the newest state.
 */
export class EventClient {
  readonly topics: Topics
  private readonly stream: EventStream
  private version: number | undefined
  private readonly sent = new Map<string, string>()
  private isBusy = false
  private missed = 0
  private quiet = 0

  constructor(stream: EventStream, topics: Topics) {
    this.stream = stream
    this.topics = topics
  }

  /** Sends what has changed since the last update. */
  update(texts: EventTexts): void {
    if (this.isBusy) {
      this.missed += 1
      if (this.missed > MOST_MISSED) this.stream.destroy()
      return
    }
    this.missed = 0
    const { run, sweep } = this.topics
    const news = [
      this.changed('temporal', texts.temporal()),
      texts.runsSince(this.version),
      ...(run === undefined ? [] : [this.changed('run', texts.run(run))]),
      ...(sweep === undefined ? [] : [this.changed('sweep', texts.sweep(sweep))]),
    ].filter((text) => text !== undefined)
    this.version = texts.version()
    this.quiet = news.length > 0 ? 0 : this.quiet + 1
    if (news.length > 0) this.write(news.join(''))
    else if (this.quiet % QUIET_UPDATES === 0) this.write(':\n\n')
  }

  private changed(event: string, text: string | undefined): string | undefined {
    if (text === undefined || this.sent.get(event) === text) return undefined
    this.sent.set(event, text)
    return text
  }

  private write(text: string): void {
    if (this.stream.write(text)) return
    this.isBusy = true
    this.stream.once('drain', () => {
      this.isBusy = false
    })
  }
}

/** The texts of the events of one snapshot, each made once for all clients. */
export class EventTexts {
  private readonly snapshot: Snapshot
  private readonly made = new Map<string, string | undefined>()

  constructor(snapshot: Snapshot) {
    this.snapshot = snapshot
  }

  version(): number {
    return this.snapshot.board.version
  }

  temporal(): string | undefined {
    const { temporal } = this.snapshot
    return this.text('temporal', '', () => (temporal === undefined ? {} : { address: temporal }))
  }

  runsSince(version: number | undefined): string | undefined {
    return this.text('runs', String(version), () => this.snapshot.board.since(version))
  }

  run(id: string): string | undefined {
    return this.text('run', id, () => this.snapshot.progress.get(id))
  }

  sweep(id: string): string | undefined {
    return this.text('sweep', id, () => {
      const sweep = this.snapshot.index.sweep(id)
      return sweep && sweepNews(sweep, this.snapshot)
    })
  }

  private text(event: string, key: string, valueOf: () => object | undefined): string | undefined {
    const name = `${event} ${key}`
    if (!this.made.has(name)) {
      const value = valueOf()
      this.made.set(name, value && `event: ${event}\ndata: ${JSON.stringify(value)}\n\n`)
    }
    return this.made.get(name)
  }
}
