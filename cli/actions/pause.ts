import { withActiveWorkflow } from '../server/active-workflow.ts'
import { pauseWorkflow } from '../server/pause-workflow.ts'
import { print } from '../output/print.ts'

/** `zeroshift pause ID`: returns when every running stage has kept a checkpoint and stopped. */
export function pause(word: string, { temporal }: { readonly temporal?: string }): Promise<number> {
  return withActiveWorkflow(word, temporal, async (handle, client, id) => {
    const left = await pauseWorkflow(handle, client)
    print(`${id} is paused, ${left} to go. To go on: ./zeroshift resume ${id}`)
    return 0
  })
}
