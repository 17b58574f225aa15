import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Idleness } from '../../../worker/idleness.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** The fake timers leave the promises of node:timers alone: this is the same on theirs. */
vi.mock('node:timers/promises', () => ({
  setTimeout: (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)),
}))

function activity(idleness: Idleness, work: Promise<unknown>): Promise<unknown> {
  const { inbound } = idleness.interceptor({} as never)
  const execute = inbound?.execute?.bind(inbound)
  if (!execute) throw new Error('no interceptor')
  return execute({ args: [], headers: {} }, () => work)
}

test('a worker without work is idle from when it began to look; one with work is not, however long it takes', async () => {
  const idleness = new Idleness()
  await vi.advanceTimersByTimeAsync(60_000)
  let isOver = false
  void idleness.lasting(10, new AbortController().signal).then(() => (isOver = true))
  await vi.advanceTimersByTimeAsync(9_000)
  let end = (_: unknown): void => undefined
  const stage = activity(idleness, new Promise((resolve) => (end = resolve)))
  await vi.advanceTimersByTimeAsync(3_600_000)
  expect(isOver).toBe(false)
  end('done')
  expect(await stage).toBe('done')
  await vi.advanceTimersByTimeAsync(9_900)
  expect(isOver).toBe(false)
  await vi.advanceTimersByTimeAsync(200)
  expect(isOver).toBe(true)
})

test('a stage that fails counts as work until it has', async () => {
  const idleness = new Idleness()
  let isOver = false
  void idleness.lasting(10, new AbortController().signal).then(() => (isOver = true))
  await vi.advanceTimersByTimeAsync(8_000)
  await expect(activity(idleness, Promise.reject(new Error('no')))).rejects.toThrow('no')
  await vi.advanceTimersByTimeAsync(9_900)
  expect(isOver).toBe(false)
  await vi.advanceTimersByTimeAsync(200)
  expect(isOver).toBe(true)
})
