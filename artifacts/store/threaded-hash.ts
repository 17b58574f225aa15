import { Worker } from 'node:worker_threads'

/**
 * A SHA-256 that is computed on a worker thread, so that this thread can receive the next bytes in
 * the meantime. A gigabyte takes half a second. Bytes are passed through two shared buffers: while
 * the worker reads one of them, this thread fills the other.
 */
export class ThreadedHash {
  // Without the module loaders of this process, which would take longer than the hash.
  private readonly worker = new Worker(new URL('hash-thread.mjs', import.meta.url), { execArgv: [] })
  private readonly buffers: { readonly bytes: Uint8Array; idle: Promise<unknown> }[]
  private readonly requests: PromiseWithResolvers[] = []
  private turn = 0

  /** @param bufferBytes the largest size of one update */
  constructor(bufferBytes: number) {
    this.buffers = [0, 1].map(() => ({
      bytes: new Uint8Array(new SharedArrayBuffer(bufferBytes)),
      idle: Promise.resolve(),
    }))
    this.worker.on('message', (answer) => this.requests.shift()?.resolve(answer))
    this.worker.on('error', (error) => {
      for (const { reject } of this.requests.splice(0)) reject(error)
    })
  }

  /** Adds bytes. Await it before the next call. The caller may change the bytes afterwards. */
  async update(bytes: Uint8Array): Promise<void> {
    const buffer = this.buffers[this.turn++ % 2]
    if (!buffer) return
    await buffer.idle
    buffer.bytes.set(bytes)
    buffer.idle = this.request(buffer.bytes.subarray(0, bytes.length))
    buffer.idle.catch(() => undefined)
  }

  /** The digest of all bytes in lower-case hexadecimal. */
  async digest(): Promise<string> {
    await Promise.all(this.buffers.map(({ idle }) => idle))
    return (await this.request(undefined)) as string
  }

  async close(): Promise<void> {
    await this.worker.terminate()
  }

  private request(bytes: Uint8Array | undefined): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.requests.push({ resolve, reject })
      this.worker.postMessage(bytes)
    })
  }
}

interface PromiseWithResolvers {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
}
