import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { WorkTimer } from '../../../../activities/runtime/work-timer.ts'

/** Waits until the clock has moved on by some milliseconds. */
async function pass(milliseconds: number): Promise<void> {
  const from = performance.now()
  while (performance.now() - from < milliseconds) await setTimeout(1)
}

test('work that precedes every deletion is not counted, not even in a checkpoint within it', async () => {
  const timer = new WorkTimer({ seconds: 100 })
  const within: number[] = []
  const outside = performance.now()
  let untimedMs = 0
  const { result, seconds } = await timer.timed(async () => {
    await pass(5)
    const began = performance.now()
    const value = await timer.untimed(async () => {
      within.push(timer.seconds())
      await pass(50)
      within.push(timer.seconds())
      return 7
    })
    untimedMs = performance.now() - began
    await pass(5)
    return value
  })
  const all = (performance.now() - outside) / 1000
  expect(result).toBe(7)
  expect(within[1]).toBe(within[0])
  expect(seconds - 100).toBeGreaterThanOrEqual(0.01)
  expect(seconds - 100).toBeLessThanOrEqual(all - untimedMs / 1000 + 0.005)
})

test('work that fails is counted no further', async () => {
  const timer = new WorkTimer()
  const failing = timer.timed(() => timer.untimed(() => Promise.reject(new Error('no'))))
  await expect(failing).rejects.toThrow('no')
  expect(timer.otherWork().stages).toBe(0)
})
