import { setTimeout as sleep } from 'node:timers/promises'
import type { ActivityInterceptorsFactory } from '@temporalio/worker'

/** Whether activities are under way, and since when none is. */
export class Idleness {
  private underWay = 0
  private since = performance.now()

  /** For every worker whose activities count. */
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

  /** Resolves once there has been nothing to do for so long, from now on; rejects when the signal aborts. */
  async lasting(seconds: number, signal: AbortSignal): Promise<void> {
    this.since = performance.now()
    for (;;) {
      const left = this.underWay > 0 ? seconds * 1000 : this.since + seconds * 1000 - performance.now()
      if (left <= 0) return
      await sleep(left, undefined, { signal })
    }
  }
}
