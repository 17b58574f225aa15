import { ledgerType, resumeSignal, workflowId } from '../../workflows/names.ts'
import type { Output } from '../output/output.ts'
import { idOnServer } from '../server/run-list.ts'
import { connect, existingServer } from '../server/temporal.ts'
import { runningStack } from '../workspace/workspace.ts'
import { refuseSweepOptions, type ResumeOptions } from './resume-stored.ts'

/**
 * Lets a paused ledger go on. Returns undefined if the word stands for no ledger that goes on or is
 * paused on a server.
 */
export async function resumeLedger(
  word: string,
  options: ResumeOptions,
  output: Output,
): Promise<number | undefined> {
  const server = existingServer(options.temporal ?? runningStack()?.address)
  if (!server || !word.startsWith('ledger-')) return undefined
  const { client, close } = await connect(server)
  try {
    const { id } = await idOnServer(client, server, word, { open: true })
    const handle = client.workflow.getHandle(workflowId(id))
    const description = await handle.describe().catch(() => undefined)
    if (description?.type !== ledgerType || description.status.name !== 'RUNNING') return undefined
    refuseSweepOptions(`${id} is a ledger`, options)
    await handle.signal(resumeSignal)
    output.printLine(`${id} goes on. Follow it with: ./zeroshift status ${id} --watch`)
    return output.answer(0, { id, status: 'running' })
  } finally {
    await close()
  }
}
