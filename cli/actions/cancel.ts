import { withActiveWorkflow } from '../server/active-workflow.ts'
import { cancelWords, cancelWorkflow } from '../server/cancel-workflow.ts'
import { print } from '../output/print.ts'

/**
 * `zeroshift cancel ID`: cancels a run or a sweep and returns when it has ended. Each stage keeps a
 * checkpoint first.
 */
export function cancel(word: string, { temporal }: { readonly temporal?: string }): Promise<number> {
  return withActiveWorkflow(word, temporal, async (handle, _client, id) => {
    const outcome = await cancelWorkflow(handle, id)
    const left = outcome === 'completed' ? '' : ` What is done is kept. To go on: ./zeroshift resume ${id}`
    print(`${id} ${cancelWords[outcome]}.${left}`)
    return 0
  })
}
