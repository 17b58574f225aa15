import { setTimeout as sleep } from 'node:timers/promises'
import { WorkflowNotFoundError } from '@temporalio/client'
import { UserError } from '../experiment/errors.ts'
import type { RunProgress } from '../experiment/run.ts'
import { pauseSignal, progressQuery, workflowId } from '../workflows/names.ts'
import { counted } from './format.ts'
import { runningStack } from './place.ts'
import { connect, existingServer } from './temporal.ts'

/** `zeroshift pause ID`: answers once every stage has kept a checkpoint and stopped. */
export async function pause(id: string, { temporal }: { readonly temporal?: string }): Promise<number> {
  const server = existingServer(temporal ?? runningStack()?.address)
  if (!server)
    throw new UserError(`nothing runs in this directory; name the Temporal server of '${id}' with --temporal`)
  const { client, close } = await connect(server)
  try {
    const handle = client.workflow.getHandle(workflowId(id))
    await handle.signal(pauseSignal).catch((error: unknown) => {
      throw error instanceof WorkflowNotFoundError
        ? new UserError(`there is no run '${id}' that is going on here; \`./zeroshift status\` lists them`)
        : error
    })
    for (;;) {
      const { stages } = await handle.query<RunProgress>(progressQuery)
      const count = (state: string) => stages.filter((stage) => stage.state === state).length
      if (count('running') > 0) {
        await sleep(100)
        continue
      }
      console.log(
        `${id} is paused, ${counted(count('waiting'), 'stage')} to go. To go on: ./zeroshift resume ${id}`,
      )
      return 0
    }
  } finally {
    await close()
  }
}
