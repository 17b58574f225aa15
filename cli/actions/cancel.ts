import { WorkflowFailedError } from '@temporalio/client'
import { CancelledFailure } from '@temporalio/common'
import { ledgerType } from '../../workflows/names.ts'
import { notActive, withActiveWorkflow } from '../server/active-workflow.ts'
import { print } from '../output/print.ts'

/**
 * `zeroshift cancel ID`: cancels a run, a sweep or a ledger and returns when it has ended. Each
 * stage keeps a checkpoint first, and the requests of a ledger stay in its queue.
 */
export function cancel(word: string, { temporal }: { readonly temporal?: string }): Promise<number> {
  return withActiveWorkflow(word, temporal, async (handle, _client, id) => {
    const { status, type } = await handle.describe()
    if (status.name !== 'RUNNING') throw notActive(id)
    await handle.cancel()
    const how = await handle.result().then(
      () => 'had come to its end',
      (error: unknown) => {
        if (!(error instanceof WorkflowFailedError)) throw error
        return error.cause instanceof CancelledFailure ? 'is cancelled' : 'had failed'
      },
    )
    const goOn = type === ledgerType ? './zeroshift forget LEDGER.yaml --queued' : `./zeroshift resume ${id}`
    const left = how === 'had come to its end' ? '' : ` What is done is kept. To go on: ${goOn}`
    print(`${id} ${how}.${left}`)
    return 0
  })
}
