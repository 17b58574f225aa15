import type { Client, WorkflowHandle } from '@temporalio/client'
import { decodeFromPayloadsAtIndex } from '@temporalio/common/lib/internal-non-workflow/index.js'
import { mapConcurrently } from '../../common/concurrency.ts'
import { trackingId, workflowId } from '../../workflows/names.ts'
import { withServerToLookAt } from './run-list.ts'

/** The workflows of a store's runs and sweeps on the known Temporal server. */
export interface Workflows {
  /** Returns the ids whose workflow is open on a server that has workers or may get some. */
  open(ids: readonly string[]): Promise<ReadonlySet<string>>
  /**
   * Terminates the workflows that could write to removed runs: their own interrupted workflows, and
   * deliveries to MLflow.
   */
  end(ids: readonly string[]): Promise<void>
}

/** No server is known, so no workflow is open. */
const none: Workflows = { open: () => Promise.resolve(new Set()), end: () => Promise.resolve() }

/**
 * Uses the server that `temporal` names, that runs here, or that ran here last. `store` is the URL
 * of the store.
 */
export async function withWorkflows<T>(
  store: string,
  temporal: string | undefined,
  work: (workflows: Workflows) => Promise<T>,
): Promise<T> {
  const connected = await withServerToLookAt(temporal, async (client, server) => ({
    result: await work({
      // A server that was started for this command has no workers.
      open: async (ids) => {
        const found = server.embedded ? [] : await openWorkflows(client, ids, workflowId)
        return new Set(found.filter(({ of }) => of === undefined || of === store).map(({ id }) => id))
      },
      end: async (ids) => {
        for (const nameOf of [workflowId, trackingId])
          for (const { id, of } of await openWorkflows(client, ids, nameOf))
            if (of === store) await client.workflow.getHandle(nameOf(id)).terminate('removed from its store')
      },
    }),
  }))
  return connected ? connected.result : work(none)
}

interface Found {
  readonly id: string
  /** The URL of the workflow's store. Undefined if it cannot be read from here. */
  readonly of: string | undefined
}

async function openWorkflows(
  client: Client,
  ids: readonly string[],
  nameOf: (id: string) => string,
): Promise<readonly Found[]> {
  const { WorkflowNotFoundError } = await import('@temporalio/client')
  const found = await mapConcurrently(ids, async (id) => {
    const handle = client.workflow.getHandle(nameOf(id))
    try {
      const { status } = await handle.describe()
      return status.name === 'RUNNING' ? [{ id, of: await storeOf(handle) }] : []
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return []
      throw error
    }
  })
  return found.flat()
}

/** The inputs of runs, cells, sweeps and deliveries have the store in one of two places. */
interface Input {
  readonly store?: string
  readonly settings?: { readonly store?: string }
}

async function storeOf(handle: WorkflowHandle): Promise<string | undefined> {
  try {
    const { events } = await handle.fetchHistory()
    const payloads = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads
    const { loadedDataConverter } = handle.client.options
    const input = await decodeFromPayloadsAtIndex<Input>(loadedDataConverter, 0, payloads)
    return input.settings?.store ?? input.store
  } catch {
    return undefined
  }
}
