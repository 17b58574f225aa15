import type { Info } from '@temporalio/activity'
import { CancelledFailure } from '@temporalio/common'
import { MockActivityEnvironment } from '@temporalio/testing'
import { DefaultLogger } from '@temporalio/worker'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Attempt } from '../../../../activities/runtime/attempt.ts'
import { HandedOverError } from '../../../../activities/runtime/errors.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Runs some code with an attempt, and returns its result and the heartbeats that it sent. */
async function withAttempt<T>(
  work: (attempt: Attempt, environment: MockActivityEnvironment) => T | Promise<T>,
  {
    info = {},
    stopping = new AbortController().signal,
  }: { info?: Partial<Info>; stopping?: AbortSignal } = {},
) {
  const environment = new MockActivityEnvironment(info, { logger: new DefaultLogger('ERROR') })
  const heartbeats: unknown[] = []
  environment.on('heartbeat', (details: unknown) => heartbeats.push(details))
  const result = await environment.run(() => Promise.resolve(work(new Attempt(stopping), environment)))
  return { result, heartbeats }
}

test('heartbeats report the latest progress, and repeat it at intervals until they are stopped', async () => {
  const { heartbeats } = await withAttempt(
    (attempt) => {
      attempt.startHeartbeats(1000)
      attempt.update({ step: 1, steps: 9 })
      attempt.sendHeartbeat()
      attempt.update({ step: 2 })
      vi.advanceTimersByTime(1000)
      attempt.update({ checkpoint: 'path' })
      vi.advanceTimersByTime(1000)
      attempt.stopHeartbeats()
      vi.advanceTimersByTime(9000)
      expect(attempt.step).toBe(2)
    },
    { info: { attempt: 3 } },
  )
  expect(heartbeats).toEqual([
    { step: 1, steps: 9, attempt: 3 },
    { step: 2, steps: 9, attempt: 3 },
    { step: 2, steps: 9, checkpoint: 'path', attempt: 3 },
  ])
})

test('steps send a heartbeat only if the last one was 250 ms ago', async () => {
  const { heartbeats } = await withAttempt((attempt) => {
    for (let step = 1; step <= 100; step++) {
      attempt.update({ step })
      attempt.sendHeartbeatIfDue()
      vi.advanceTimersByTime(10)
    }
  })
  expect(heartbeats.map((details) => (details as { step: number }).step)).toEqual([1, 26, 51, 76])
})

test('what a waiting attempt observed is given to the next one', async () => {
  const look = { sight: '1 other 1 0', since: 1e12 }
  const { heartbeats } = await withAttempt((attempt) => {
    attempt.sendObserved(look)
  })
  expect(heartbeats).toEqual([{ attempt: 1, look }])
  const { result } = await withAttempt((attempt) => attempt.observedEarlier, {
    info: { heartbeatDetails: heartbeats[0] },
  })
  expect(result).toEqual(look)
  expect((await withAttempt((attempt) => attempt.observedEarlier)).result).toBeUndefined()
})

test('attempts of one activity hold its lease under one name', async () => {
  const holders = await Promise.all(
    [1, 2].map((attempt) =>
      withAttempt(({ holder }) => holder, {
        info: { attempt, activityId: 'key', workflowExecution: { workflowId: 'w', runId: 'r' } },
      }),
    ),
  )
  expect(holders.map(({ result }) => result)).toEqual([
    { activity: 'r/key', attempt: 1 },
    { activity: 'r/key', attempt: 2 },
  ])
})

test('a cancelled attempt stops with a cancellation', async () => {
  await expect(
    withAttempt(async (attempt, environment) => {
      expect(attempt.mustStop).toBe(false)
      environment.cancel()
      expect(attempt.mustStop).toBe(true)
      await attempt.stop()
    }),
  ).rejects.toBeInstanceOf(CancelledFailure)
})

test('an attempt whose worker shuts down hands its stage over', async () => {
  const stop = new AbortController()
  await expect(
    withAttempt(
      async (attempt) => {
        expect(attempt.mustStop).toBe(false)
        stop.abort()
        expect(attempt.mustStop).toBe(true)
        await attempt.stop()
      },
      { stopping: stop.signal },
    ),
  ).rejects.toBeInstanceOf(HandedOverError)
})
