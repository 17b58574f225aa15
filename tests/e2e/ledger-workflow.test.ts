import { WorkflowFailedError } from '@temporalio/client'
import { ApplicationFailure, CancelledFailure } from '@temporalio/common'
import { beforeAll, expect, test } from 'vitest'
import type { Activities } from '../../activities/index.ts'
import type { JudgeTask } from '../../activities/ledger.ts'
import type { LedgerInput, LedgerProgress, LedgerResult, Requested } from '../../experiment/ledger/ledger.ts'
import type { Stage } from '../../experiment/stages/stage.ts'
import {
  ledgerType,
  ledgerWorkflowId,
  pauseSignal,
  progressQuery,
  requestedSignal,
  resumeSignal,
} from '../../workflows/names.ts'
import { fileDirectory } from '../support/directories.ts'
import { errorOf } from '../support/errors.ts'
import { zeroshiftHereWith } from '../support/in-process.ts'
import { batchedQueue, ledgerQueue } from '../support/ledger-queue.ts'
import { untilCancelled } from '../support/recording.ts'
import { forFile } from '../support/release.ts'
import { temporalServer, type TestTemporal, withWorker } from '../support/temporal.ts'

/** The workflow of a ledger, with activities that read no store and compute nothing. */

let server: TestTemporal
beforeAll(async () => {
  server = await forFile(temporalServer())
})

type Ledger = (input: LedgerInput) => Promise<LedgerResult>

function start(name: string, now = false) {
  return server.client.workflow.signalWithStart<Ledger, [Requested]>(ledgerType, {
    workflowId: ledgerWorkflowId(name, 'test'),
    taskQueue: 'zeroshift',
    signal: requestedSignal,
    signalArgs: [{ now }],
    args: [{ name, store: 'file:///nowhere' }],
  })
}

type Handle = Awaited<ReturnType<typeof start>>
const progressOf = (handle: Handle) => handle.query<LedgerProgress>(progressQuery)

const stepsOf = (tasks: readonly JudgeTask[]) => tasks.map(({ number, step }) => [number, step])

test('requests are fulfilled one after the other, each by the first step that is accepted', async () => {
  const { ledger, judged, settled } = ledgerQueue(
    'order',
    2,
    ({ number, step }) => number === 1 || step === 2,
  )
  const result = await withWorker(server.address, ledger, async () => (await start('order')).result())
  expect(stepsOf(judged)).toEqual([
    [1, 1],
    [2, 1],
    [2, 2],
  ])
  expect(settled.map(({ number, attempts }) => [number, attempts.length])).toEqual([
    [1, 1],
    [2, 2],
  ])
  expect(result).toMatchObject({ name: 'order', settled: [{ number: 1 }, { number: 2 }] })
})

test('a request that comes while the last one is being settled is fulfilled, too', async () => {
  const { ledger, settled, add } = ledgerQueue('late', 1, () => true)
  const late: Activities = {
    ...ledger,
    nextRequest: async (task) => {
      const found = await ledger.nextRequest(task)
      // The workflow learns of this request before it learns that there was none.
      if (!found.next && settled.length === 1) {
        add()
        await start('late')
      }
      return found
    },
  }
  const result = await withWorker(server.address, late, async () => (await start('late')).result())
  // One execution has settled both.
  expect(result.settled.map(({ number }) => number)).toEqual([1, 2])
  expect(settled.map(({ number }) => number)).toEqual([1, 2])
})

test('the failure of a run is passed on, and the ladder continues', async () => {
  const { ledger, judged } = ledgerQueue('failing', 1, ({ failure }) => failure === undefined)
  const broken: Activities = {
    ...ledger,
    planPart: (task) =>
      task.id.startsWith('failing-1-1-')
        ? Promise.reject(ApplicationFailure.nonRetryable('the run is gone', 'UserError'))
        : ledger.planPart(task),
  }
  await withWorker(server.address, broken, async () => (await start('failing')).result())
  expect(stepsOf(judged)).toEqual([
    [1, 1],
    [1, 2],
  ])
  expect(judged.map(({ failure }) => failure)).toEqual(['the run is gone', undefined])
})

test('requests wait for the end of their batch, also without workers, and are then settled together', async () => {
  const { ledger, asked, judged, settled, add } = batchedQueue('batched', 2)
  const waits = (handle: Handle, last: number) =>
    expect
      .poll(async () => (await progressOf(handle)).waiting, { timeout: 30_000 })
      .toMatchObject({
        ...{ first: 1, last, until: '2026-12-01T12:00:00.000Z' },
      })
  await withWorker(server.address, ledger, async () => {
    await waits(await start('batched'), 2)
    add()
    await waits(await start('batched'), 3)
  })
  const before = asked.length
  const result = await withWorker(server.address, ledger, async () => {
    // This worker has the history of the workflow alone.
    await waits(await start('batched'), 3)
    return (await start('batched', true)).result()
  })
  expect(asked.slice(0, before)).not.toContain(true)
  expect(asked.filter(Boolean)).toHaveLength(1)
  expect(judged).toMatchObject([{ number: 1, last: 3, step: 1 }])
  expect(settled).toMatchObject([{ number: 1, last: 3, attempts: [{ outcome: 'accepted' }] }])
  expect(result.settled.map(({ number, state }) => [number, state])).toEqual([
    [1, 'fulfilled'],
    [2, 'fulfilled'],
    [3, 'fulfilled'],
  ])
})

test('a ledger is paused in a step and between steps, and resumed', async () => {
  const directory = fileDirectory()
  const command = async (...args: readonly string[]) => {
    const given = { TEMPORAL_ADDRESS: server.address }
    const { code, stdout, stderr } = await zeroshiftHereWith(given, directory, ...args)
    expect(code, stderr).toBe(0)
    return stdout
  }
  const { ledger, calls, settled } = ledgerQueue('paused', 2, () => true)
  let isFirst = true
  const training: Activities['train'] = (task) => {
    if (!isFirst) return ledger.train(task)
    isFirst = false
    calls.push(task.stage as Stage)
    return untilCancelled(task)
  }
  await withWorker(server.address, { ...ledger, train: training }, async () => {
    const handle = await start('paused')
    await expect.poll(() => calls.some(({ kind }) => kind === 'train'), { timeout: 30_000 }).toBe(true)
    expect(await command('pause', 'ledger-paused')).toMatch(
      /^ledger-paused-test is paused, \d+ stages to go\./,
    )
    expect(await progressOf(handle)).toMatchObject({ paused: true, current: { number: 1, step: 1 } })
    expect(await command('status', 'ledger-paused')).toContain('step 1 of 2, first')
    expect(await command('status')).toMatch(/^ledger-paused-test +ledger +paused/m)
    expect(await command('resume', 'ledger-paused')).toContain('ledger-paused-test goes on.')
    const { settled } = await handle.result()
    expect(settled.map(({ number }) => number)).toEqual([1, 2])
  })
  expect(settled.map(({ number, attempts }) => [number, attempts.length])).toEqual([
    [1, 1],
    [2, 1],
  ])
})

test('a paused ledger begins no waiting request until it is resumed', async () => {
  const { ledger, asked, settled } = batchedQueue('resting', 2)
  await withWorker(server.address, ledger, async () => {
    const handle = await start('resting')
    await expect.poll(async () => (await progressOf(handle)).waiting, { timeout: 30_000 }).toBeDefined()
    await handle.signal(pauseSignal)
    // The end of the batch is announced during the pause.
    await start('resting', true)
    expect(await progressOf(handle)).toMatchObject({ paused: true, waiting: { first: 1, last: 2 } })
    expect(asked).not.toContain(true)
    await handle.signal(resumeSignal)
    await handle.result()
  })
  expect(settled).toMatchObject([{ number: 1, last: 2 }])
})

test('a ledger is shown and cancelled by commands, and settles nothing; the next start goes on', async () => {
  const directory = fileDirectory()
  const command = (...args: readonly string[]) =>
    zeroshiftHereWith({ TEMPORAL_ADDRESS: server.address }, directory, ...args)
  const { ledger, calls, settled } = ledgerQueue('stopped', 1, () => true)
  const training: Activities['train'] = (task) => {
    calls.push(task.stage as Stage)
    return untilCancelled(task)
  }
  const error = await withWorker(server.address, { ...ledger, train: training }, async () => {
    const handle = await start('stopped')
    await expect.poll(() => calls.some(({ kind }) => kind === 'train'), { timeout: 120_000 }).toBe(true)
    const shown = await command('status', 'ledger-stopped', '--json')
    expect(JSON.parse(shown.stdout), shown.stderr).toMatchObject({
      id: ledgerWorkflowId('stopped', 'test').replace('zeroshift-', ''),
      ...{ state: 'running', progress: { name: 'stopped', current: { number: 1, step: 1, label: 'first' } } },
    })
    expect((await command('status')).stdout).toMatch(/^ledger-stopped-test +ledger +running/m)
    const cancelled = await command('cancel', 'ledger-stopped')
    expect(cancelled.stdout, cancelled.stderr).toMatch(/^ledger-stopped-test is cancelled\..*--queued/)
    return errorOf(handle.result(), WorkflowFailedError)
  })
  expect(error.cause).toBeInstanceOf(CancelledFailure)
  expect(settled).toEqual([])
  await withWorker(server.address, ledger, async () => (await start('stopped')).result())
  expect(settled).toMatchObject([{ number: 1, attempts: [{ outcome: 'accepted' }] }])
})
