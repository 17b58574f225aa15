import { sha256 } from '../../common/canonical.ts'
import type { LedgerInput, LedgerProgress, LedgerResult, Requested } from '../../experiment/ledger/ledger.ts'
import {
  fairShare,
  ledgerType,
  ledgerWorkflowId,
  progressQuery,
  requestedSignal,
} from '../../workflows/names.ts'
import { displayOn } from '../output/follow.ts'
import { ledgerWriter } from '../output/render-ledger.ts'
import type { CommandServer } from './command-server.ts'
import { watchWorkflow, type Launched, type Outcome } from './watch-workflow.ts'

type Ledger = (input: LedgerInput) => Promise<LedgerResult>

/**
 * Starts the workflow of a ledger, or tells the running one that there is a new request. `now` ends
 * a batch. Returns undefined, and starts nothing, if Ctrl-C came first.
 */
export async function launchLedger(
  { name, store }: LedgerInput,
  { now = false }: Requested,
  { connect, interruption }: CommandServer,
): Promise<Launched<LedgerResult> | undefined> {
  const server = await connect()
  if (interruption.requested()) return undefined
  const { client, searchable } = server
  const handle = await client.workflow.signalWithStart<Ledger, [Requested]>(ledgerType, {
    workflowId: ledgerWorkflowId(name, sha256(store).slice(0, 8)),
    taskQueue: 'zeroshift',
    priority: fairShare(name),
    signal: requestedSignal,
    signalArgs: [{ now }],
    args: [{ name, store, searchable }],
  })
  return { handle, server }
}

/** Shows the ledger until all of its requests are settled. */
export async function watchLedger(
  launched: Launched<LedgerResult>,
  server: CommandServer,
): Promise<Outcome<LedgerResult>> {
  const progress = {
    read: () => launched.handle.query<LedgerProgress>(progressQuery),
    display: await displayOn(server.output.out, ledgerWriter),
    everyMs: 500,
  }
  return watchWorkflow(launched, server, progress, () => Promise.resolve([]))
}
