import { Artifacts } from '../../artifacts/artifacts.ts'
import type { RunProgress } from '../../experiment/records/run.ts'
import { EventClient, type EventStream } from '../../ui/server/event-client.ts'
import type { LiveRun } from '../../ui/server/operations.ts'
import { Poller } from '../../ui/server/poller.ts'
import { RunReader } from '../../ui/server/run-reader.ts'
import { MemoryStore } from './memory-store.ts'

/**
 * A program for `node --expose-gc`: it follows runs, each with other progress in every snapshot,
 * for clients of which some read slowly and one never. It prints the heap in bytes and what
 * the clients got, both at equal distances.
 */

const [snapshots = 0, samples = 1] = process.argv.slice(2).map(Number)
const RUNS = 40
const CLIENTS = 20

/** A stream whose client reads what is written after some updates. */
class SlowStream implements EventStream {
  bytes = 0
  private readonly updates: number
  private readonly leave: () => void
  private waiting: { readonly listener: () => void; updates: number } | undefined

  constructor(updates: number, leave: () => void) {
    this.updates = updates
    this.leave = leave
  }

  write(text: string): boolean {
    this.bytes += text.length
    return this.updates === 0
  }

  once(_event: 'drain', listener: () => void): void {
    this.waiting = { listener, updates: this.updates }
  }

  destroy(): void {
    this.leave()
  }

  /** One update later. */
  pass(): void {
    if (!this.waiting || --this.waiting.updates > 0) return
    const { listener } = this.waiting
    this.waiting = undefined
    listener()
  }
}

let snapshot = 0
const idOf = (i: number) => `digits-class-${i}`
const runs = Array.from({ length: RUNS }, (_, i): LiveRun => {
  const startedAt = new Date(i * 1000).toISOString()
  return { id: idOf(i), kind: 'run', state: 'running', startedAt, seconds: 1 }
})

/** The last two stages of a run go on, and a third one has ended in the meantime. */
function progressOf(id: string): RunProgress {
  return {
    id,
    stages: Array.from({ length: 12 }, (_, i) => ({
      ...{ key: `${id} ${i}`, kind: 'train' as const, title: `train model ${i}` },
      ...(i < snapshot % 10
        ? { state: 'computed' as const, seconds: snapshot }
        : { state: 'running' as const, step: snapshot, steps: snapshots, loss: 1 / (snapshot + i) }),
    })),
  }
}

const streams = new Map<number, SlowStream>()
const heap: number[] = []
const bytes: number[] = []
let lost = 0

/** A client that is dropped comes back, as browsers do. */
function join(i: number): void {
  // The last client never reads, the four before it read slowly.
  const updates = i === CLIENTS - 1 ? Infinity : i >= CLIENTS - 5 ? 2 + 5 * (CLIENTS - 1 - i) : 0
  const stream = new SlowStream(updates, () => {
    lost += 1
    leave()
    setImmediate(join, i)
  })
  streams.set(i, stream)
  const leave = poller.listen(new EventClient(stream, { run: idOf(i) }))
}

const reader = new RunReader(new Artifacts(new MemoryStore()), {
  live: () =>
    Promise.resolve({
      address: '127.0.0.1:7233',
      list: () => Promise.resolve(runs.map((run) => ({ ...run, seconds: snapshot }))),
      run: (id) => Promise.resolve(progressOf(id)),
      sweep: () => Promise.resolve(undefined),
      failure: () => Promise.resolve(undefined),
    }),
  estimate: () => Promise.resolve(new Map()),
  lastCheck: () => Promise.resolve(undefined),
})
const poller = new Poller({
  read: (wanted) => reader.read(wanted),
  pause: async () => {
    snapshot += 1
    for (const stream of streams.values()) stream.pass()
    if (snapshot % (snapshots / samples) === 0) {
      globalThis.gc?.()
      heap.push(process.memoryUsage().heapUsed)
      bytes.push([...streams.values()].reduce((sum, one) => sum + one.bytes, 0))
    }
    if (snapshot === snapshots) {
      poller.stop()
      process.stdout.write(JSON.stringify({ heap, bytes, lost, clients: streams.size }))
    }
    await new Promise(setImmediate)
  },
  onError: (error) => {
    throw error
  },
})
for (let i = 0; i < CLIENTS; i++) join(i)
