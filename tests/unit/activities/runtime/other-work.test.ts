import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { OtherWorkMeter } from '../../../../activities/runtime/other-work.ts'

/** Keeps this thread busy until the condition holds. */
function spin(isDone: () => boolean): void {
  while (!isDone());
}

const after = (ms: number) => {
  const start = performance.now()
  return () => performance.now() - start > ms
}

test('the time of two meters that run at once is the time of another stage for both', () => {
  const [one, other] = [new OtherWorkMeter(), new OtherWorkMeter()]
  one.start()
  spin(after(20))
  expect(one.now().stages).toBe(0)
  other.start()
  spin(after(50))
  other.stop()
  const together = other.now().stages
  spin(after(20))
  one.stop()
  expect(together).toBeGreaterThanOrEqual(0.05)
  expect(one.now().stages).toBe(together)
  spin(after(20))
  expect(other.now().stages).toBe(together)
})

test("other processes' time counts", async () => {
  const meter = new OtherWorkMeter()
  meter.start()
  const busy = spawn(process.execPath, [
    '-e',
    'const busy = () => { const { user, system } = process.cpuUsage(); return user + system }; while (busy() < 1_000_000);',
  ])
  await once(busy, 'exit')
  meter.stop()
  // The system counts in hundredths of a second.
  expect(meter.now().processes).toBeGreaterThan(0.9)
})

test('what earlier attempts measured is added', () => {
  const meter = new OtherWorkMeter({ processes: 3, stages: 2 })
  expect(meter.now()).toEqual({ processes: 3, stages: 2 })
  meter.start()
  meter.stop()
  expect(meter.now().processes).toBeGreaterThanOrEqual(3)
  expect(meter.now().stages).toBe(2)
})
