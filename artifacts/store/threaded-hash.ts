import { Worker } from 'node:worker_threads'

/**
 * SHA-256 on a thread of its own: a gigabyte takes half a second, in which this thread can receive the next one. Bytes are
 * handed over through two shared buffers, so that few are copied at a time and none are waited for.
 */
export class ThreadedHash {
  // Without this process's loaders, which would take longer than the hash.
  private readonly worker = new Worker(new URL('hash-thread.mjs', import.meta.url), { execArgv: [] })
  private readonly slots: { readonly bytes: Uint8Array; idle: Promise<unknown> }[]
  private readonly asked: PromiseWithResolvers[] = []
  private turn = 0

  /** `slotBytes`: the most that one update takes. */
  constructor(slotBytes: number) {
    this.slots = [0, 1].map(() => ({
      bytes: new Uint8Array(new SharedArrayBuffer(slotBytes)),
      idle: Promise.resolve(),
    }))
    this.worker.on('message', (answer) => this.asked.shift()?.resolve(answer))
    this.worker.on('error', (error) => {
      for (const { reject } of this.asked.splice(0)) reject(error)
    })
  }

  /** To be awaited before the next call. The bytes may change afterwards. */
  async update(bytes: Uint8Array): Promise<void> {
    const slot = this.slots[this.turn++ % 2]
    if (!slot) return
    await slot.idle
    slot.bytes.set(bytes)
    slot.idle = this.ask(slot.bytes.subarray(0, bytes.length))
    slot.idle.catch(() => undefined)
  }

  /** Lower-case hexadecimal. */
  async digest(): Promise<string> {
    await Promise.all(this.slots.map(({ idle }) => idle))
    return (await this.ask(undefined)) as string
  }

  async close(): Promise<void> {
    await this.worker.terminate()
  }

  private ask(bytes: Uint8Array | undefined): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.asked.push({ resolve, reject })
      this.worker.postMessage(bytes)
    })
  }
}

interface PromiseWithResolvers {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
}
