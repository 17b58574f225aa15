import { WorkflowFailedError } from '@temporalio/client'
import { ApplicationFailure, CancelledFailure } from '@temporalio/common'
import { beforeAll, expect, test } from 'vitest'
import type { Activities } from '../../activities/index.ts'
import type { JudgeTask, SettleTask } from '../../activities/ledger.ts'
import type { LedgerInput, LedgerResult } from '../../experiment/ledger/ledger.ts'
import type { Stage } from '../../experiment/stages/stage.ts'
import { ledgerType, ledgerWorkflowId, requestedSignal } from '../../workflows/names.ts'
import { fileDirectory } from '../support/directories.ts'
import { errorOf } from '../support/errors.ts'
import { zeroshiftHereWith } from '../support/in-process.ts'
import { recording, untilCancelled } from '../support/recording.ts'
import { forFile } from '../support/release.ts'
import { sampleRun } from '../support/run.ts'
import { temporalServer, type TestTemporal, withWorker } from '../support/temporal.ts'

/** The workflow of a ledger, with activities that read no store and compute nothing. */

let server: TestTemporal
beforeAll(async () => {
  server = await forFile(temporalServer())
})

function start(name: string) {
  return server.client.workflow.signalWithStart<(input: LedgerInput) => Promise<LedgerResult>>(ledgerType, {
    workflowId: ledgerWorkflowId(name, 'test'),
    taskQueue: 'zeroshift',
    signal: requestedSignal,
    signalArgs: [],
    args: [{ name, store: 'file:///nowhere' }],
  })
}

/**
 * A queue of requests with a ladder of two steps. `accepts` says whether the model of a step is
 * accepted.
 */
function queue(name: string, requests: number, accepts: (task: JudgeTask) => boolean) {
  const { activities, calls } = recording()
  const open = Array.from({ length: requests }, (_, i) => i + 1)
  const judged: JudgeTask[] = []
  const settled: SettleTask[] = []
  const runs = new Map<string, ReturnType<typeof sampleRun>['run']>()
  const ledger: Activities = {
    ...activities,
    nextRequest: () => {
      const [number] = open
      return Promise.resolve(number === undefined ? {} : { next: { number, steps: ['first', 'second'] } })
    },
    planStep: ({ number, step }) => {
      const { run } = sampleRun({ name: `${name}-${number}-${step}` })
      runs.set(run.id, run)
      return Promise.resolve({ run: run.id, attributes: [] })
    },
    planPart: ({ id }) =>
      Promise.resolve({
        text: JSON.stringify(runs.get(id)?.plan),
        parts: 1,
        byKey: false,
        settings: {},
        kept: [],
      }),
    judgeStep: (task) => {
      judged.push(task)
      const outcome = accepts(task) ? 'accepted' : 'missed'
      const { step, run } = task
      return Promise.resolve({
        ...{ label: String(step), method: 'rfa', run, claim: 'measured', evidence: [], outcome },
      })
    },
    settleRequest: (task) => {
      settled.push(task)
      open.shift()
      return Promise.resolve({ number: task.number, state: 'fulfilled', claim: 'measured' })
    },
  }
  return { ledger, calls, judged, settled, add: () => open.push(open.length + settled.length + 1) }
}

const stepsOf = (tasks: readonly JudgeTask[]) => tasks.map(({ number, step }) => [number, step])

test('requests are fulfilled one after the other, each by the first step that is accepted', async () => {
  const { ledger, judged, settled } = queue('order', 2, ({ number, step }) => number === 1 || step === 2)
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
  const { ledger, settled, add } = queue('late', 1, () => true)
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
  const { ledger, judged } = queue('failing', 1, ({ failure }) => failure === undefined)
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

test('a ledger is shown and cancelled by commands, and settles nothing; the next start goes on', async () => {
  const directory = fileDirectory()
  const command = (...args: readonly string[]) =>
    zeroshiftHereWith({ TEMPORAL_ADDRESS: server.address }, directory, ...args)
  const { ledger, calls, settled } = queue('stopped', 1, () => true)
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
    const paused = await command('pause', 'ledger-stopped')
    expect(paused).toMatchObject({ code: 2 })
    expect(paused.stderr).toContain('ledger-stopped-test is a ledger, which cannot be paused')
    const cancelled = await command('cancel', 'ledger-stopped')
    expect(cancelled.stdout, cancelled.stderr).toMatch(/^ledger-stopped-test is cancelled\..*--queued/)
    return errorOf(handle.result(), WorkflowFailedError)
  })
  expect(error.cause).toBeInstanceOf(CancelledFailure)
  expect(settled).toEqual([])
  await withWorker(server.address, ledger, async () => (await start('stopped')).result())
  expect(settled).toMatchObject([{ number: 1, attempts: [{ outcome: 'accepted' }] }])
})
