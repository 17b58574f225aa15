import { setTimeout as sleep } from 'node:timers/promises'
import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client'
import { CancelledFailure } from '@temporalio/common'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Activities } from '../../activities/index.ts'
import type { HalvingSpec } from '../../experiment/sweep/space.ts'
import type { SweepChange, SweepInput, SweepProgress, SweepResult } from '../../experiment/sweep/sweep.ts'
import {
  changeUpdate,
  pauseSignal,
  progressQuery,
  resumeSignal,
  sweepType,
  trackingId,
  workflowId,
  workflowType,
} from '../../workflows/names.ts'
import { errorOf } from '../support/errors.ts'
import { forFile } from '../support/release.ts'
import { sweeping } from '../support/sweeping.ts'
import { temporalServer, type TestTemporal, withWorker } from '../support/temporal.ts'

let server: TestTemporal
beforeAll(async () => {
  server = await forFile(temporalServer())
})

function start(id: string, more: Partial<SweepInput> = {}) {
  return server.client.workflow.start<(input: SweepInput) => Promise<SweepResult>>(sweepType, {
    workflowId: workflowId(id),
    taskQueue: 'zeroshift',
    args: [{ id, store: 'file:///nowhere', maxParallel: 4, ...more }],
  })
}

type Handle = Awaited<ReturnType<typeof start>>

const progressOf = (handle: Handle) => handle.query<SweepProgress>(progressQuery)

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 180_000
  while (performance.now() < deadline) {
    if (await isSo()) return
    await sleep(50)
  }
  throw new Error('it did not come to that within three minutes')
}

async function expectCancelled(handle: Handle): Promise<void> {
  const error = await errorOf(handle.result(), WorkflowFailedError)
  expect(error.cause).toBeInstanceOf(CancelledFailure)
}

/**
 * Runs a worker during some work, then releases what is held, since a worker waits for its
 * activities.
 */
function releasing<T>(release: () => void, activities: Activities, work: () => Promise<T>): Promise<T> {
  return withWorker(server.address, activities, () => work().finally(release))
}

/** How many executions a workflow's history was cut into. */
async function executionsOf(id: string): Promise<number> {
  let count = 0
  for await (const _ of server.client.workflow.list({ query: `WorkflowId = '${id}'` })) count++
  return count
}

/** The heartbeat timeouts of a workflow's activities in seconds; Infinity: none. */
async function heartbeatsOf(id: string): Promise<readonly number[]> {
  const { events } = await server.client.workflow.getHandle(id).fetchHistory()
  const scheduled = (events ?? []).flatMap((event) => event.activityTaskScheduledEventAttributes ?? [])
  expect(scheduled.length).toBeGreaterThan(0)
  return scheduled.map(({ heartbeatTimeout }) => Number(heartbeatTimeout?.seconds ?? 0) || Infinity)
}

const tracked = (id: string) => server.client.workflow.getHandle(trackingId(id))

describe('a sweep', () => {
  test('runs every cell once, so many at a time at most, over as many executions as it takes', async () => {
    const { activities, reported, idOf, most } = sweeping({ name: 'every', cells: 60 })
    const result = await withWorker(server.address, activities, async () =>
      (await start('every', { maxParallel: 5, historyEvents: 60 })).result(),
    )
    expect([...reported].sort()).toEqual(Array.from({ length: 60 }, (_, cell) => idOf(cell)).sort())
    expect(most()).toBeLessThanOrEqual(5)
    expect(result).toEqual({
      id: 'every',
      cells: 60,
      done: 60,
      cached: 0,
      incomplete: 0,
      stopped: 0,
      failures: [],
      report: 'file:///sweep',
      digest: 'd',
    })
    // The server lists them a moment later.
    await until(async () => (await executionsOf(workflowId('every'))) > 2)
  })

  test('runs no cell that the store has whole', async () => {
    const { activities, reported, idOf } = sweeping({ name: 'kept', cells: 6, kept: [0, 1, 3, 5] })
    const result = await withWorker(server.address, activities, async () => (await start('kept')).result())
    expect([...reported].sort()).toEqual([idOf(2), idOf(4)])
    expect(result).toMatchObject({ done: 6, cached: 4 })
  })

  test('goes on past cells that fail, are terminated or cancelled, and says of each why', async () => {
    const { activities, hold, idOf, isWaiting, release, reports } = sweeping({
      name: 'past',
      cells: 7,
      broken: [1],
    })
    hold((run) => [idOf(2), idOf(4), idOf(5)].includes(run))
    const result = await releasing(release, activities, async () => {
      const handle = await start('past', { maxParallel: 3, historyEvents: 30 })
      const child = (cell: number) => server.client.workflow.getHandle(workflowId(idOf(cell)))
      await until(() => isWaiting(idOf(2)) && isWaiting(idOf(4)) && isWaiting(idOf(5)))
      await child(2).terminate()
      await child(4).cancel()
      await until(async () => (await child(4).describe()).status.name === 'CANCELLED')
      release()
      return handle.result()
    })
    expect(result).toMatchObject({ cells: 7, done: 4 })
    expect(result.failures).toEqual([
      { cell: 1, run: idOf(1), reason: `cell ${idOf(1)} has no report` },
      { cell: 2, run: idOf(2), reason: 'it was terminated' },
      { cell: 4, run: idOf(4), reason: 'it was cancelled' },
    ])
    expect(reports.at(-1)).toEqual(result.failures)
  })

  test('whose cells all fail has failed, with the first reason, and has a report nonetheless', async () => {
    const { activities, reports } = sweeping({ name: 'none', cells: 3, broken: [0, 1, 2] })
    const error = await withWorker(server.address, activities, async () =>
      errorOf((await start('none')).result(), WorkflowFailedError),
    )
    expect(error.cause?.message).toBe('no cell came through; the first failed: cell none-0 has no report')
    expect(reports).toHaveLength(1)
  })

  test('waits for a cell that somebody else runs, and leaves it alone when it is cancelled', async () => {
    const { activities, hold, idOf, isWaiting, release } = sweeping({ name: 'joined', cells: 2 })
    hold(() => true)
    await releasing(release, activities, async () => {
      const other = await server.client.workflow.start(workflowType, {
        workflowId: workflowId(idOf(0)),
        taskQueue: 'zeroshift',
        args: [{ cell: idOf(0), store: 'file:///nowhere', sweep: 'other' }],
      })
      const handle = await start('joined')
      await until(() => isWaiting(idOf(0)) && isWaiting(idOf(1)))
      expect((await progressOf(handle)).running.map(({ run }) => run).sort()).toEqual([idOf(0), idOf(1)])
      await handle.cancel()
      await expectCancelled(handle)
      const own = await server.client.workflow.getHandle(workflowId(idOf(1))).describe()
      expect(own.status.name).toBe('CANCELLED')
      expect((await other.describe()).status.name).toBe('RUNNING')
      release(idOf(1))
      const again = await start('joined')
      await until(() => isWaiting(idOf(1)))
      release()
      expect(await again.result()).toMatchObject({ done: 2, failures: [] })
    })
  })

  test('that is cancelled cancels cells that an earlier execution began', async () => {
    const { activities, hold, idOf, isWaiting, release } = sweeping({ name: 'carried', cells: 40 })
    hold((run) => run === idOf(0) || run === idOf(39))
    await releasing(release, activities, async () => {
      const handle = await start('carried', { maxParallel: 3, historyEvents: 80 })
      await until(() => isWaiting(idOf(0)) && isWaiting(idOf(39)))
      await until(async () => (await executionsOf(workflowId('carried'))) > 1)
      await server.client.workflow.getHandle(workflowId('carried')).cancel()
      await expectCancelled(handle)
      const carried = server.client.workflow.getHandle(workflowId(idOf(0)))
      expect((await carried.describe()).status.name).toBe('CANCELLED')
    })
  })

  test('that is cancelled while one execution takes over from another cancels what runs', async () => {
    const { activities, hold, idOf, isWaiting, release } = sweeping({ name: 'handed', cells: 40 })
    hold((run) => run === idOf(0))
    let reads = 0
    let goOn = () => undefined as void
    const asked = new Promise<void>((resolve) => (goOn = resolve))
    const cellsOf: Activities['cellsOf'] = async (task) => {
      if (++reads > 1) await asked
      return activities.cellsOf(task)
    }
    await releasing(release, { ...activities, cellsOf }, async () => {
      const handle = await start('handed', { maxParallel: 3, historyEvents: 40 })
      await until(() => isWaiting(idOf(0)) && reads > 1)
      await server.client.workflow.getHandle(workflowId('handed')).cancel()
      await sleep(1000)
      goOn()
      await expectCancelled(handle)
      const carried = server.client.workflow.getHandle(workflowId(idOf(0)))
      expect((await carried.describe()).status.name).toBe('CANCELLED')
    })
  })

  test('that is cancelled just when its history is long enough is cancelled, not handed over', async () => {
    const { activities, hold, isWaiting, release, idOf } = sweeping({ name: 'long', cells: 1 })
    hold(() => true)
    await releasing(release, activities, async () => {
      const waiting = async (historyEvents?: number) => {
        const handle = await start('long', historyEvents === undefined ? {} : { historyEvents })
        await until(() => isWaiting(idOf(0)))
        await until(async () => {
          const length = async () => (await handle.describe()).historyLength
          const before = await length()
          await sleep(500)
          return (await length()) === before
        })
        return handle
      }
      const cancelled = async (handle: Handle) => {
        await handle.cancel()
        await expectCancelled(handle)
        release(idOf(0))
      }
      const first = await waiting()
      const { historyLength } = await first.describe()
      await cancelled(first)
      // The cancellation's own events are those that make it too long.
      await cancelled(await waiting(historyLength))
    })
  })

  test('is tracked beside itself, by one workflow over all its executions', async () => {
    const { activities, idOf, told, cellsTold } = sweeping({
      name: 'followed',
      cells: 20,
      broken: [7],
      isTracked: true,
    })
    const all = Array.from({ length: 20 }, (_, cell) => idOf(cell))
    await withWorker(server.address, activities, async () => {
      const handle = await start('followed', { historyEvents: 40 })
      await handle.result()
      for (const id of ['followed', ...all]) await tracked(id).result()
    })
    // Temporal is to miss whatever a killed worker had begun within a minute.
    for (const id of [
      workflowId('followed'),
      trackingId('followed'),
      workflowId(idOf(0)),
      trackingId(idOf(0)),
    ])
      for (const seconds of await heartbeatsOf(id)) expect(seconds).toBeLessThanOrEqual(60)
    await until(async () => (await executionsOf(workflowId('followed'))) > 1)
    expect(await executionsOf(trackingId('followed'))).toBe(1)
    const byRun = (a: { run: string }, b: { run: string }) => (a.run < b.run ? -1 : 1)
    expect([...cellsTold].sort(byRun)).toEqual(all.map((run) => ({ run, sweep: 'followed' })).sort(byRun))
    const counts = { cells: 20, done: 19, cached: 0, incomplete: 0, stopped: 0, failed: 1 }
    expect(told.length).toBeGreaterThan(1)
    expect(told.slice(0, -1)).toEqual(told.slice(0, -1).map(() => undefined))
    expect(told.at(-1)).toMatchObject({ status: 'FINISHED', counts })
  })

  test('that was cancelled is killed once its cells have ended; resumed, it runs and comes to its end', async () => {
    const { activities, hold, idOf, isWaiting, release, told } = sweeping({
      name: 'revived',
      cells: 2,
      isTracked: true,
    })
    hold((run) => run === idOf(1))
    await releasing(release, activities, async () => {
      const handle = await start('revived')
      await until(async () => isWaiting(idOf(1)) && (await progressOf(handle)).done === 1)
      await handle.cancel()
      await handle.result().catch(() => undefined)
      await tracked('revived').result()
      expect(told.at(-1)).toMatchObject({ status: 'KILLED', counts: { cells: 2, done: 1, failed: 0 } })
      const before = told.length
      release()
      await (await start('revived')).result()
      await tracked('revived').result()
      expect(told.slice(before)).toEqual([undefined, expect.objectContaining({ status: 'FINISHED' })])
    })
  })

  test('whose cells all fail is failed where it is tracked, too', async () => {
    const { activities, told } = sweeping({ name: 'lost', cells: 1, broken: [0], isTracked: true })
    await withWorker(server.address, activities, async () => {
      await (await start('lost')).result().catch(() => undefined)
      await tracked('lost').result()
    })
    expect(told.at(-1)).toMatchObject({ status: 'FAILED', counts: { cells: 1, done: 0, failed: 1 } })
  })

  test('without a tracking server starts no workflow to track it', async () => {
    const { activities } = sweeping({ name: 'alone', cells: 1 })
    await withWorker(server.address, activities, async () => (await start('alone')).result())
    await expect(tracked('alone').describe()).rejects.toThrow(WorkflowNotFoundError)
  })

  test('pauses, changes how many run at a time, takes more cells, and goes on', async () => {
    const { activities, extend, hold, idOf, isWaiting, release, reported } = sweeping({
      name: 'live',
      cells: 6,
    })
    hold((run) => run === idOf(0))
    await releasing(release, activities, async () => {
      const handle = await start('live', { maxParallel: 1 })
      await until(() => isWaiting(idOf(0)))
      await handle.signal(pauseSignal)
      const change = (wanted: SweepChange) =>
        handle.executeUpdate<SweepProgress, [SweepChange]>(changeUpdate, { args: [wanted] })
      expect(await change({ maxParallel: 3 })).toMatchObject({ paused: true, maxParallel: 3, cells: 6 })
      release()
      await until(async () => (await progressOf(handle)).done === 1)
      await sleep(300)
      expect(reported).toEqual([idOf(0)])
      extend(2)
      await change({ extended: true })
      await handle.signal(resumeSignal)
      expect(await handle.result()).toMatchObject({ cells: 8, done: 8 })
    })
    expect(reported).toHaveLength(8)
  })

  test('gives only the better cells more, and ends in the same decisions however many run at a time', async () => {
    const halving: HalvingSpec = { metric: 'validationGap', resource: 'seeds', rungs: [1], factor: 3 }
    const value = (cell: number) => (cell * 7) % 12
    const ran = async (name: string, maxParallel: number) => {
      const { activities, reported } = sweeping({ name, cells: 12, halving, value })
      const result = await withWorker(server.address, activities, async () =>
        (await start(name, { maxParallel, historyEvents: 100 })).result(),
      )
      const whole = reported.filter((run) => run.split('-').length === 2).sort()
      return { whole: whole.map((run) => run.replace(name, '')), result }
    }
    const one = await ran('halvingone', 1)
    const many = await ran('halvingmany', 6)
    expect(many.whole).toEqual(one.whole)
    expect(one.whole).toContain('-0')
    expect(one.result).toMatchObject({ cells: 12, done: one.whole.length, stopped: 12 - one.whole.length })
    expect(one.whole.length).toBeLessThan(7)
  })
})
