import { MockActivityEnvironment } from '@temporalio/testing'
import { DefaultLogger } from '@temporalio/worker'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { withHeartbeat } from '../../../../activities/runtime/heartbeat.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('shows life every few seconds until the work is done, or fails', async () => {
  for (const outcome of ['done', 'failed'] as const) {
    let beats = 0
    const environment = new MockActivityEnvironment(
      {},
      { logger: new DefaultLogger('ERROR', () => undefined) },
    )
    environment.on('heartbeat', () => beats++)
    const work = () =>
      new Promise<string>((resolve, reject) => {
        setTimeout(() => {
          if (outcome === 'done') resolve(outcome)
          else reject(new Error(outcome))
        }, 30_000)
      })
    const result = environment
      .run(() => withHeartbeat(work))
      .catch((error: unknown) => (error as Error).message)
    await vi.advanceTimersByTimeAsync(30_000)
    expect(await result).toBe(outcome)
    // The shortest heartbeat timeout that a workflow gives is 10 s.
    expect(beats).toBeGreaterThanOrEqual(6)
    const then = beats
    await vi.advanceTimersByTimeAsync(60_000)
    expect(beats).toBe(then)
  }
})
