import { setTimeout as sleep } from 'node:timers/promises'
import type { ActivityInterceptorsFactory } from '@temporalio/worker'

/** Measures how long a worker has had no activity. */
export class Idleness {
  private underWay = 0
  private since = performance.now()

  /** The interceptor for each worker whose activities are counted. */
  readonly interceptor: ActivityInterceptorsFactory = () => ({
    inbound: {
      execute: async (input, next) => {
        this.underWay++
        try {
          return await next(input)
        } finally {
          this.underWay--
          this.since = performance.now()
        }
      },
    },
  })

  /**
   * Resolves once there was no activity for this many seconds, counted from now. Rejects when the
   * signal aborts.
   */
  async lasting(seconds: number, signal: AbortSignal): Promise<void> {
    this.since = performance.now()
    for (;;) {
      const left = this.underWay > 0 ? seconds * 1000 : this.since + seconds * 1000 - performance.now()
      if (left <= 0) return
      await sleep(left, undefined, { signal })
    }
  }
}
