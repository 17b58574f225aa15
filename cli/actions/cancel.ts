import { ledgerType } from '../../workflows/names.ts'
import { withActiveWorkflow } from '../server/active-workflow.ts'
import { cancelWords, cancelWorkflow } from '../server/cancel-workflow.ts'
import { print } from '../output/print.ts'

/**
 * `zeroshift cancel ID`: cancels a run, a sweep or a ledger and returns when it has ended. Each
 * stage keeps a checkpoint first, and the requests of a ledger stay in its queue.
 */
export function cancel(word: string, { temporal }: { readonly temporal?: string }): Promise<number> {
  return withActiveWorkflow(word, temporal, async (handle, _client, id) => {
    const { type } = await handle.describe()
    const outcome = await cancelWorkflow(handle, id)
    const goOn = type === ledgerType ? './zeroshift forget LEDGER.yaml --queued' : `./zeroshift resume ${id}`
    const left = outcome === 'completed' ? '' : ` What is done is kept. To go on: ${goOn}`
    print(`${id} ${cancelWords[outcome]}.${left}`)
    return 0
  })
}
