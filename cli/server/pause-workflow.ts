import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, WorkflowHandle } from '@temporalio/client'
import { UserError } from '../../common/errors.ts'
import type { RunProgress } from '../../experiment/records/run.ts'
import type { SweepProgress } from '../../experiment/sweep/sweep.ts'
import { ledgerType, pauseSignal, progressQuery, sweepType, workflowId } from '../../workflows/names.ts'
import { counted } from '../output/format.ts'

/**
 * Pauses a run or a sweep, and waits until every running stage has kept a checkpoint and stopped.
 * Returns how many stages or cells are left. Throws a UserError for a ledger.
 */
export async function pauseWorkflow(handle: WorkflowHandle, client: Client, id: string): Promise<string> {
  const { type } = await handle.describe()
  if (type === ledgerType)
    throw new UserError(
      `${id} is a ledger, which cannot be paused; cancel it instead, and \`./zeroshift forget LEDGER.yaml --queued\` continues from the stages that are stored`,
    )
  await handle.signal(pauseSignal)
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
