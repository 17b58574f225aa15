import type { Client } from '@temporalio/client'
import { queues } from '../../workflows/names.ts'
import type { Check } from './doctor-check.ts'
import { connect, existingServer } from '../server/temporal.ts'

/** Returns the checks of an existing Temporal server, none if commands start their own server. */
export function serverChecks(temporal: string | undefined): readonly Check[] {
  const server = existingServer(temporal)
  if (!server) return []
  /** The number of workers of each queue, found by the first check for the second. */
  let workers: ReadonlyMap<string, number> | undefined
  return [
    {
      name: 'server',
      needed: true,
      remedy: 'Start the server, or correct --temporal, or TEMPORAL_ADDRESS.',
      perform: async () => {
        const { client, close } = await connect(server)
        try {
          const { serverVersion } = await client.workflowService.getSystemInfo({})
          workers = await countWorkers(client)
          return `Temporal ${serverVersion} at ${server.address}`
        } finally {
          await close()
        }
      },
    },
    {
      name: 'workers',
      needed: false,
      remedy: 'Start some: `./zeroshift worker`. Runs wait until there are workers for both queues.',
      perform: () => {
        if (!workers) throw new Error('not known, since the server does not answer')
        const said = [...workers].map(([queue, count]) => `${count} for ${queue}`).join(', ')
        if ([...workers.values()].includes(0)) throw new Error(said)
        return said
      },
    },
  ]
}

/** TASK_QUEUE_TYPE_ACTIVITY of Temporal's API. */
const ACTIVITY = 2

/** Returns the number of workers of each queue that asked for activities in the last minutes. */
async function countWorkers({ workflowService, options }: Client): Promise<ReadonlyMap<string, number>> {
  const counts = queues.map(async (name) => {
    const { pollers } = await workflowService.describeTaskQueue({
      namespace: options.namespace,
      taskQueue: { name },
      taskQueueType: ACTIVITY,
    })
    return [name, new Set(pollers.map(({ identity }) => identity)).size] as const
  })
  return new Map(await Promise.all(counts))
}
