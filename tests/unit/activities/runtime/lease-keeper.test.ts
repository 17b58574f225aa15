import { Lease, LeaseLostError } from '../../../../artifacts/progress/lease.ts'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ObservedLease } from '../../../../activities/runtime/heartbeat-details.ts'
import { LeaseKeeper, takeLease, waitMs } from '../../../../activities/runtime/lease-keeper.ts'
import { openArtifacts, type Artifacts } from '../../../../artifacts/artifacts.ts'
import { FileStore } from '../../../../artifacts/store/file-store.ts'
import { sampleRun } from '../../../support/run.ts'

const stage = sampleRun().run.plan.dataset
const heartbeatSeconds = 30
let directory: string
let artifacts: Artifacts
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zeroshift-lease-keeper-'))
  artifacts = openArtifacts(directory)
})
afterEach(async () => {
  vi.restoreAllMocks()
  await rm(directory, { recursive: true })
})

/** Takes the lease for an attempt that was due at some second. */
const takeAt = (second: number, observed?: ObservedLease, activity = 'ours') =>
  takeLease({
    ...{ artifacts, stage, heartbeatSeconds, observed },
    holder: { activity, attempt: 1 },
    now: 1e12 + 1000 * second,
  })

async function taken(activity = 'ours'): Promise<LeaseKeeper> {
  const lease = await takeAt(0, undefined, activity)
  if (lease instanceof LeaseKeeper) return lease
  throw new Error('another run holds the lease')
}

async function observed(second: number, earlier?: ObservedLease): Promise<ObservedLease> {
  const answer = await takeAt(second, earlier)
  if (answer instanceof LeaseKeeper) throw new Error('nobody holds the lease')
  return answer
}

async function takeOver(): Promise<void> {
  const later = await Lease.take(artifacts, stage, { activity: 'later', attempt: 1 }, () => true)
  expect(later).toBeInstanceOf(Lease)
}

test('a free lease is taken, and again once it was released', async () => {
  const first = await taken()
  expect(first.microBatches).toBe(1)
  await first.release()
  expect(await taken('others')).toBeInstanceOf(LeaseKeeper)
})

test('a lease that was not renewed for two heartbeats between attempts is taken over, and not before', async () => {
  const holder = await taken('holder')
  const first = await observed(0)
  expect(first.since).toBeUndefined()
  // The waiting time of the first attempt is not known. The time counts from the second.
  const second = await observed(500, first)
  expect(second).toEqual({ sight: first.sight, since: 1e12 + 500_000 })
  const third = await observed(560, second)
  expect(third).toEqual(second)
  await holder.renew()
  const renewed = await observed(561, third)
  expect(renewed.sight).not.toBe(third.sight)
  expect(renewed.since).toBeUndefined()
  const still = await observed(571, renewed)
  expect(await takeAt(632, still)).toBeInstanceOf(LeaseKeeper)
  await expect(holder.renew()).rejects.toBeInstanceOf(LeaseLostError)
})

test.each([
  [1, 250],
  [2, 275],
  [30, 3966],
  [1000, 10_000],
])('attempt %i is followed by the next one after %i ms', (attempt, ms) => {
  expect(Math.round(waitMs(attempt, heartbeatSeconds))).toBe(ms)
})

test('a lost lease is noticed by the next renewal, and is not released', async () => {
  const keeper = await taken()
  keeper.throwIfLost()
  await takeOver()
  keeper.throwIfLost()
  await expect(keeper.renew()).rejects.toBeInstanceOf(LeaseLostError)
  expect(() => {
    keeper.throwIfLost()
  }).toThrow(LeaseLostError)
  const remove = vi.spyOn(FileStore.prototype, 'delete')
  await keeper.release()
  expect(remove).not.toHaveBeenCalled()
})

test('renewals go on while the store does not answer, and end with stopRenewing', async () => {
  const keeper = await taken()
  const renew = vi.spyOn(Lease.prototype, 'renew')
  renew.mockRejectedValueOnce(new Error('the store does not answer'))
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  try {
    keeper.startRenewing()
    vi.advanceTimersByTime((3 * 1000 * heartbeatSeconds) / 3)
    expect(renew).toHaveBeenCalledTimes(3)
    await keeper.stopRenewing()
    keeper.throwIfLost()
    vi.advanceTimersByTime(1000 * heartbeatSeconds)
    expect(renew).toHaveBeenCalledTimes(3)
  } finally {
    vi.useRealTimers()
  }
})

test('stopRenewing waits for a renewal that is under way', async () => {
  const keeper = await taken()
  const finished: string[] = []
  let finish: () => void = () => undefined
  vi.spyOn(Lease.prototype, 'renew').mockImplementation(async () => {
    await new Promise<void>((resolve) => (finish = resolve))
    finished.push('renewal')
  })
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  try {
    keeper.startRenewing()
    vi.advanceTimersByTime((1000 * heartbeatSeconds) / 3)
    const stopped = keeper.stopRenewing().then(() => finished.push('stop'))
    finish()
    await stopped
    expect(finished).toEqual(['renewal', 'stop'])
  } finally {
    vi.useRealTimers()
  }
})

test('the next holder divides its batches as the last one left it', async () => {
  const first = await taken()
  await first.saveMicroBatches(4)
  await first.release()
  const second = await taken('others')
  expect(second.microBatches).toBe(4)
  await second.deleteMicroBatches()
  await second.release()
  expect((await taken()).microBatches).toBe(1)
})

test('a holder that lost the lease leaves no number of micro-batches', async () => {
  const keeper = await taken()
  await takeOver()
  await expect(keeper.saveMicroBatches(2)).rejects.toBeInstanceOf(LeaseLostError)
  expect(() => {
    keeper.throwIfLost()
  }).toThrow(LeaseLostError)
})
