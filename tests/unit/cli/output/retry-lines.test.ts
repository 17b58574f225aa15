import { describe, expect, test } from 'vitest'
import { RetryWatch, retryLine, retryLines, type Retry } from '../../../../cli/output/retry-lines.ts'

const retry = (more: Partial<Retry> = {}): Retry => ({
  key: 'a',
  stage: 'train original',
  reason: 'ENOSPC: no space left',
  attempt: 3,
  ...more,
})

describe('what is tried again', () => {
  test('is shown once it has failed for 5 s, and no more once it is overcome', () => {
    const watch = new RetryWatch()
    expect(watch.lasting([retry()], 0)).toEqual([])
    expect(watch.lasting([retry()], 4_999)).toEqual([])
    expect(watch.lasting([retry()], 5_000)).toHaveLength(1)
    expect(watch.lasting([], 6_000)).toEqual([])
    expect(watch.lasting([retry()], 7_000)).toEqual([])
  })

  test('is not shown for a short failure whose next attempt takes long', () => {
    const watch = new RetryWatch()
    watch.lasting([retry({ nextAt: 1_000 })], 0)
    for (let now = 2_000; now < 600_000; now += 1_000)
      expect(watch.lasting([retry({ startedAt: 1_000 })], now)).toEqual([])
  })

  test('is told once for each reason, and again after a minute only where it failed again', () => {
    const watch = new RetryWatch()
    const at = (now: number, more: Partial<Retry> = {}) =>
      watch.newLines(watch.lasting([retry(more)], now), now).length
    expect(at(0)).toBe(0)
    expect(at(5_000)).toBe(1)
    expect(at(6_000, { attempt: 4 })).toBe(0)
    expect(at(7_000, { attempt: 5, reason: 'ECONNREFUSED' })).toBe(1)
    expect(at(8_000, { attempt: 6, reason: 'ECONNREFUSED' })).toBe(0)
    // Numbers and names of temporary files tell no reasons apart.
    expect(at(9_000, { attempt: 7, reason: 'cannot write 12 to /s/1b4e28ba-2fa1-11d2' })).toBe(1)
    expect(at(10_000, { attempt: 8, reason: 'cannot write 13 to /s/9c4e28ba-2fa1-11d3' })).toBe(0)
    expect(at(66_999, { attempt: 7, reason: 'ECONNREFUSED' })).toBe(0)
    expect(at(67_000, { attempt: 40, reason: 'ECONNREFUSED' })).toBe(1)
    expect(at(500_000, { attempt: 40, reason: 'ECONNREFUSED' })).toBe(0)
  })
})

test.each([
  [{ nextAt: 12_000 }, 'attempt 3 begins in 2.0 s'],
  [{ nextAt: 9_000 }, 'attempt 3 begins in 0.0 s'],
  [{}, 'attempt 3 is under way'],
])('a line says which attempt comes next: %j', (more, next) => {
  expect(retryLine(retry({ reason: 'no\nspace', ...more }), 10_000)).toBe(
    `train original: attempt 2 failed: no space. It is tried again: ${next}`,
  )
})

test('a line fits into the display', () => {
  for (const line of retryLines([retry(), retry()], 40, 0)) expect(line.length).toBeLessThanOrEqual(40)
})
