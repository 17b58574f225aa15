import type { Client } from '@temporalio/client'
import type { LiveRun, LiveServer, Operations } from '../../ui/server/operations.ts'
import { sweepType, workflowId, workflowType } from '../../workflows/names.ts'
import { progressOf } from '../output/run-progress.ts'
import { sweepViewOf } from '../output/sweep-progress.ts'
import { listRuns, type RunListEntry } from '../server/run-list.ts'
import { connect, existingServer, type Connected, type Server } from '../server/temporal.ts'
import { errorReason } from '../server/unwrap-error.ts'
import { runningStack } from '../workspace/workspace.ts'

/** A call that takes longer counts as failed. */
const CALL_MS = 5000
/** A server that did not answer is asked again after this time. */
const AGAIN_MS = 5000

/** A connection, or why there is none. */
interface Link {
  readonly address: string
  readonly connected?: Connected
  readonly failedAt?: number
}

/**
 * Follows the Temporal server that commands in this directory would use: the one that is named, the
 * one of `zeroshift up`, or the one of a running command. It may come and go.
 */
export class LiveConnection {
  private readonly temporal: string | undefined
  private link: Link | undefined
  private connecting: Promise<Link> | undefined

  constructor(temporal: string | undefined) {
    this.temporal = temporal
  }

  /** The client of the server that answers now, or undefined. */
  async client(): Promise<{ readonly client: Client; readonly server: Server } | undefined> {
    const server = existingServer(this.temporal ?? runningStack()?.address)
    if (server?.address !== this.link?.address) await this.close()
    if (!server) return undefined
    const { connected, failedAt } = this.link ?? {}
    if (connected) return { client: connected.client, server }
    if (failedAt !== undefined && performance.now() - failedAt < AGAIN_MS) return undefined
    this.connecting ??= linkTo(server).finally(() => {
      this.connecting = undefined
    })
    this.link = await this.connecting
    return this.link.connected && { client: this.link.connected.client, server }
  }

  /** Ends the connection. The next call of `client` makes a new one. */
  async close(): Promise<void> {
    const { connected } = this.link ?? {}
    this.link = undefined
    await connected?.close()
  }
}

async function linkTo(server: Server): Promise<Link> {
  const { address } = server
  try {
    return { address, connected: await connect(server) }
  } catch {
    return { address, failedAt: performance.now() }
  }
}

/** Returns the function that gives the server of the page its Temporal server. */
export function liveServer(connection: LiveConnection): Operations['live'] {
  return async () => {
    const found = await connection.client()
    return found && serverOf(found.client, found.server, connection)
  }
}

function serverOf(client: Client, server: Server, connection: LiveConnection): LiveServer {
  /** Calls the server. If it does not answer, the connection is made anew. */
  const call = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await client.withDeadline(Date.now() + CALL_MS, work)
    } catch (error) {
      await connection.close()
      throw error
    }
  }
  const handle = (id: string) => client.workflow.getHandle(workflowId(id))
  return {
    address: server.address,
    list: (since) => call(async () => (await listRuns(client, server, queryOf(since))).map(liveRun)),
    run: (id) =>
      client
        .withDeadline(Date.now() + CALL_MS, async () => {
          const { retries: _, ...progress } = await progressOf(handle(id))
          return progress
        })
        .catch(() => undefined),
    sweep: (id) =>
      client
        .withDeadline(Date.now() + CALL_MS, async () => {
          const { sweep, runs } = await sweepViewOf(client, handle(id))
          return { progress: sweep, running: runs }
        })
        .catch(() => undefined),
    failure: (id) => call(() => failureOf(client, id)),
  }
}

function queryOf(since: number | undefined): string {
  const types = `WorkflowType IN ('${workflowType}', '${sweepType}')`
  if (since === undefined) return types
  return `${types} AND (ExecutionStatus = 'Running' OR CloseTime >= '${new Date(since).toISOString()}')`
}

function liveRun({ id, type, state, startedAt, seconds, dataset, methods, sweep }: RunListEntry): LiveRun {
  return {
    ...{ id, startedAt, seconds },
    kind: type === sweepType ? 'sweep' : 'run',
    // An open workflow of a server that exists is running. Paused ones are known by their progress.
    state: state === 'paused' || state === 'interrupted' ? 'running' : state,
    ...(dataset !== undefined && { dataset }),
    ...(methods && { methods }),
    ...(sweep !== undefined && sweep !== id && { sweep }),
  }
}

function failureOf(client: Client, id: string): Promise<string | undefined> {
  return client.workflow
    .getHandle(workflowId(id))
    .result()
    .then(
      () => undefined,
      (error: unknown) => errorReason(error),
    )
}
