import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, WorkflowHandle } from '@temporalio/client'
import type { LedgerProgress } from '../../experiment/ledger/ledger.ts'
import type { RunProgress } from '../../experiment/records/run.ts'
import type { SweepProgress } from '../../experiment/sweep/sweep.ts'
import { ledgerType, pauseSignal, progressQuery, sweepType, workflowId } from '../../workflows/names.ts'
import { counted } from '../output/format.ts'

/**
 * Pauses a run, a sweep or a ledger, and waits until every running stage has kept a checkpoint and
 * stopped. Returns how much is left: stages of a run or of the step of a ledger, or cells.
 */
export async function pauseWorkflow(handle: WorkflowHandle, client: Client): Promise<string> {
  const { type } = await handle.describe()
  await handle.signal(pauseSignal)
  if (type === ledgerType) return ledgerAtRest(client, handle)
  return type === sweepType ? sweepAtRest(client, handle) : runAtRest(handle)
}

const EVERY_MS = 100

/** Waits until no stage of the run is being computed. Returns how many stages are left. */
async function runAtRest(handle: WorkflowHandle): Promise<string> {
  for (;;) {
    const { stages } = await handle.query<RunProgress>(progressQuery)
    const count = (state: string) => stages.filter((stage) => stage.state === state).length
    if (count('running') === 0) return counted(count('waiting'), 'stage')
    await sleep(EVERY_MS)
  }
}

async function sweepAtRest(client: Client, handle: WorkflowHandle): Promise<string> {
  const { cells, done, stopped, failures, running } = await handle.query<SweepProgress>(progressQuery)
  // A run that has ended since does not answer the query.
  for (const { run } of running)
    await runAtRest(client.workflow.getHandle(workflowId(run))).catch(() => undefined)
  return counted(cells - done - stopped - failures.length, 'cell')
}

/** Waits until the step of the ladder that goes on is paused, or none goes on. */
async function ledgerAtRest(client: Client, handle: WorkflowHandle): Promise<string> {
  for (;;) {
    const { current, waiting } = await handle.query<LedgerProgress>(progressQuery)
    if (!current) return waiting ? counted(waiting.last - waiting.first + 1, 'waiting request') : 'no step'
    const run = client.workflow.getHandle(workflowId(current.run))
    const { paused = false } = await run
      .query<RunProgress>(progressQuery)
      .catch(() => ({ paused: undefined }))
    // A run that has ended since is followed by the next step, which does not begin.
    if (paused && (await run.describe()).status.name === 'RUNNING') return runAtRest(run)
    await sleep(EVERY_MS)
  }
}
