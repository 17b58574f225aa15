import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { DamagedInputError } from '../../activities/runtime/errors.ts'
import type { Activities } from '../../activities/index.ts'
import { MathError } from '../../common/errors.ts'
import type { RunInput, RunProgress, RunResult } from '../../experiment/records/run.ts'
import type { LedgerInput, LedgerResult, Requested } from '../../experiment/ledger/ledger.ts'
import { ensureTemporal } from '../../infra/temporal.mjs'
import type { SweepInput, SweepResult } from '../../experiment/sweep/sweep.ts'
import {
  ledgerType,
  ledgerWorkflowId,
  pauseSignal,
  requestedSignal,
  resumeSignal,
  sweepType,
  trackingId,
  workflowId,
  workflowType,
} from '../../workflows/names.ts'
import { batchedQueue, ledgerQueue } from '../support/ledger-queue.ts'
import { recording, untilCancelled, type Fault } from '../support/recording.ts'
import { sampleRun } from '../support/run.ts'
import { sweeping } from '../support/sweeping.ts'
import { temporalServer, withWorker } from '../support/temporal.ts'

/**
 * Records the histories that tests/integration/workflows/replay.test.ts replays. It is run when a
 * version is released: `npx tsx tests/replay/record.ts 0.2`. The histories of older versions stay
 * as they are. A third argument names the only history to record.
 */
const [, , version, only] = process.argv
if (version === undefined) throw new Error('expected the version, such as 0.2')

/** A run whose data is kept from an earlier one. */
const recorded = (name: string, fault?: Fault) =>
  recording(fault, [sampleRun({ name }).run.plan.dataset.key]).activities

/** A first training that works until it is told to stop. */
function waiting(name: string): Activities {
  const others = recorded(name)
  let isFirst = true
  return {
    ...others,
    async train(task) {
      if (!isFirst) return others.train(task)
      isFirst = false
      return untilCancelled(task)
    },
  }
}

const isWanted = (name: string) => only === undefined || only === name

const server = await temporalServer()
const start = (input: RunInput) =>
  server.client.workflow.start<(input: RunInput) => Promise<RunResult>>(workflowType, {
    workflowId: workflowId(input.run.id),
    taskQueue: 'zeroshift',
    args: [input],
  })
type Handle = Awaited<ReturnType<typeof start>>

async function training(handle: Handle): Promise<void> {
  const isTraining = async () =>
    (await handle.query<RunProgress>('progress')).stages.some(
      ({ kind, state }) => kind === 'train' && state === 'running',
    )
  while (!(await isTraining())) await sleep(20)
}

async function record(
  name: string,
  served: Activities,
  during: (handle: Handle) => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  if (!isWanted(name)) return
  const sample = sampleRun({ name })
  const tracking = { uri: 'http://127.0.0.1:5000', register: false }
  const input = { ...sample, settings: { ...sample.settings, ...(name === 'tracked' && { tracking }) } }
  await withWorker(server.address, served, async () => {
    const handle = await start(input)
    await during(handle)
    await handle.result().catch(() => undefined)
    if (name === 'tracked') await server.client.workflow.getHandle(trackingId(input.run.id)).result()
  })
  await write(name, workflowId(input.run.id))
  if (name === 'tracked') await write('tracking', trackingId(input.run.id))
}

/** The last execution of a workflow. */
async function write(file: string, id: string): Promise<void> {
  const show = ['workflow', 'show', '--output', 'json', '--workflow-id', id, '--address', server.address]
  const { stdout } = await promisify(execFile)(await ensureTemporal(), show, { maxBuffer: 2 ** 26 })
  // The name of the machine that recorded the history is removed.
  const history = stdout.replaceAll(/"identity": "\d+@[^"]*"/g, '"identity": "worker"')
  writeFileSync(new URL(`histories/${version}-${file}.json`, import.meta.url), history)
}

await record('tracked', recorded('tracked'))
await record(
  'method-failed',
  recorded('method-failed', ({ title }) => {
    if (title === 'unlearn by rfa') throw new MathError('the loss is not finite')
  }),
)
await record(
  'gold-failed',
  recorded('gold-failed', ({ title }) => {
    if (title === 'train gold') throw new MathError('the loss is not finite')
  }),
)
await record('cancelled', waiting('cancelled'), async (handle) => {
  await training(handle)
  await handle.cancel()
})
await record('paused', waiting('paused'), async (handle) => {
  await training(handle)
  await handle.signal(pauseSignal)
  await sleep(1000)
  await handle.signal(resumeSignal)
})
let isDamaged = true
const { split } = sampleRun({ name: 'repaired' }).run.plan
await record(
  'repaired',
  recorded('repaired', ({ title }) => {
    if (title !== 'train original' || !isDamaged) return
    isDamaged = false
    throw new DamagedInputError('a byte is wrong', split.key)
  }),
)

/**
 * A sweep in its second execution: a cell of the first execution goes on, another cell fails, and
 * the sweep is paused for a while.
 */
async function recordSweep(): Promise<void> {
  const { activities, hold, idOf, isWaiting, release } = sweeping({ name: 'sweep', cells: 20, broken: [17] })
  hold((run) => run === idOf(1))
  await withWorker(server.address, activities, async () => {
    const handle = await server.client.workflow.start<(input: SweepInput) => Promise<SweepResult>>(
      sweepType,
      {
        workflowId: workflowId('sweep'),
        taskQueue: 'zeroshift',
        args: [{ id: 'sweep', store: 'file:///nowhere', maxParallel: 3, historyEvents: 120 }],
      },
    )
    const latest = server.client.workflow.getHandle(workflowId('sweep'))
    while (!isWaiting(idOf(1)) || (await latest.describe()).runId === handle.firstExecutionRunId)
      await sleep(50)
    await latest.signal(pauseSignal)
    await sleep(500)
    await latest.signal(resumeSignal)
    await sleep(1000)
    release()
    await handle.result()
  })
  await write('sweep', workflowId('sweep'))
  await write('cell', workflowId(idOf(0)))
}

type Ledger = (input: LedgerInput) => Promise<LedgerResult>

function startLedger(name: string, requested: Requested = {}) {
  return server.client.workflow.signalWithStart<Ledger, [Requested]>(ledgerType, {
    workflowId: ledgerWorkflowId(name, 'test'),
    taskQueue: 'zeroshift',
    signal: requestedSignal,
    signalArgs: [requested],
    args: [{ name, store: 'file:///nowhere' }],
  })
}

/** A ledger: the ladder continues after a miss, and requests come while others are fulfilled. */
async function recordLedger(): Promise<void> {
  const { ledger, add } = ledgerQueue('ledger', 2, ({ number, step }) => number === 1 || step === 2)
  let isLate = false
  const late: Activities = {
    ...ledger,
    settleRequest: async (task) => {
      const settled = await ledger.settleRequest(task)
      if (isLate) return settled
      isLate = true
      add()
      await startLedger('ledger')
      return settled
    },
  }
  await withWorker(server.address, late, async () => (await startLedger('ledger')).result())
  await write('ledger', ledgerWorkflowId('ledger', 'test'))
}

/** A ledger whose requests wait for a batch, which is paused for a while and then ended. */
async function recordBatch(): Promise<void> {
  const { ledger, asked, add } = batchedQueue('batched', 2)
  const asks = async (times: number) => {
    while (asked.length < times) await sleep(20)
  }
  await withWorker(server.address, ledger, async () => {
    const handle = await startLedger('batched')
    await asks(1)
    add()
    await startLedger('batched')
    await asks(2)
    await handle.signal(pauseSignal)
    await startLedger('batched', { now: true })
    await sleep(500)
    await handle.signal(resumeSignal)
    await handle.result()
  })
  await write('batched', ledgerWorkflowId('batched', 'test'))
}

if (isWanted('sweep')) await recordSweep()
if (isWanted('ledger')) await recordLedger()
if (isWanted('batched')) await recordBatch()
await server.stop()
