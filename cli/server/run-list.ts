import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Client, WorkflowExecutionInfo } from '@temporalio/client'
import { nearest } from '../../common/nearest.ts'
import { searchAttributes, type SearchAttribute } from '../../experiment/records/search-attributes.ts'
import { ledgerType, sweepType, workflowId, workflowType } from '../../workflows/names.ts'
import { duration } from '../output/format.ts'
import { print, printJson } from '../output/print.ts'
import { matchingId } from '../workspace/named-run.ts'
import { home, runningStack } from '../workspace/workspace.ts'
import { connect, embeddedServer, existingServer, type Server } from './temporal.ts'

/**
 * The state of a run in the words of the command line. `interrupted`: the run was not finished when
 * its server stopped. `paused` is only known to lists that ask the workflow itself.
 */
export type RunState = 'running' | 'paused' | 'interrupted' | 'completed' | 'failed' | 'cancelled'

/** A run in a list. */
export interface RunListEntry {
  readonly id: string
  /** The type of its workflow: an experiment, a sweep or a ledger. */
  readonly type: string
  readonly state: RunState
  readonly startedAt: string
  readonly seconds: number
  /**
   * This property and the following ones are absent if the server does not know Zeroshift's search
   * attributes.
   */
  readonly dataset?: string
  readonly methods?: readonly string[]
  readonly ranks?: readonly string[]
  readonly config?: string
  /** Absent if the run belongs to no sweep. */
  readonly sweep?: string
}

/**
 * Returns the server to read from: the one that runs here, or the one that ran here last. The stack
 * of a running command may be read but not used for other runs.
 */
async function serverToLookAt(temporal: string | undefined): Promise<Server | undefined> {
  const existing = existingServer(temporal ?? runningStack()?.address)
  if (existing) return existing
  return existsSync(join(home, 'temporal.db')) ? embeddedServer({ withWorker: false }) : undefined
}

/**
 * Connects to that server for some work, and stops it afterwards if it was started for this.
 * Returns undefined if there is none.
 */
export async function withServerToLookAt<T>(
  temporal: string | undefined,
  work: (client: Client, server: Server) => Promise<T>,
): Promise<T | undefined> {
  const server = await serverToLookAt(temporal)
  if (!server) return undefined
  try {
    const { client, close } = await connect(server)
    try {
      return await work(client, server)
    } finally {
      await close()
    }
  } finally {
    await server.stop()
  }
}

/** Prints that there are no runs, for commands that found no server. Returns the exit code. */
export function printNoRuns({ json }: { readonly json?: true }): number {
  if (json) printJson({ runs: [] })
  else print('no runs yet in this directory')
  return 0
}

/** Returns the runs that match a query, newest first. */
export async function listRuns(
  client: Client,
  server: Server,
  query: string,
  limit = Infinity,
): Promise<readonly RunListEntry[]> {
  const runs: RunListEntry[] = []
  for await (const info of client.workflow.list({ query })) {
    if (runs.length === limit) break
    runs.push({
      id: info.workflowId.replace(workflowId(''), ''),
      type: info.type,
      state: stateOf(info, server),
      startedAt: info.startTime.toISOString(),
      seconds: ((info.closeTime?.getTime() ?? Date.now()) - info.startTime.getTime()) / 1000,
      ...found(info),
    })
  }
  return runs
}

/**
 * The workflows that commands show and stop. The id of a ledger there is `ledger-`, its name and
 * the first digits of the digest of its store.
 */
export const shownTypes = `WorkflowType IN ('${workflowType}', '${sweepType}', '${ledgerType}')`

/**
 * Returns the id of the run, sweep or ledger on a server that a word stands for: its id, the
 * beginning of it, or `last`. A word that matches none is returned as it is, together with the most
 * similar id. Throws a UserError if several ids begin with the word.
 *
 * @param options.open whether only workflows count that have not ended
 */
export async function idOnServer(
  client: Client,
  server: Server,
  word: string,
  { open }: { readonly open: boolean },
): Promise<{ readonly id: string; readonly near?: string | undefined }> {
  const runs = await listRuns(
    client,
    server,
    open ? `${shownTypes} AND ExecutionStatus = 'Running'` : shownTypes,
  )
  const known = runs.map(({ id, startedAt, sweep }) => ({
    ...{ id, date: Date.parse(startedAt), isCell: sweep !== undefined },
  }))
  const id = matchingId(word, known)
  if (id !== undefined) return { id }
  return {
    id: word,
    near: nearest(
      word,
      known.map((run) => run.id),
    ),
  }
}

function found({ typedSearchAttributes: attributes }: WorkflowExecutionInfo): Partial<RunListEntry> {
  const valueOf = <N extends SearchAttribute>(name: N) =>
    attributes.get({ name, type: searchAttributes[name] })
  const dataset = valueOf('ZeroshiftDataset')
  const methods = valueOf('ZeroshiftMethods')
  const ranks = valueOf('ZeroshiftRanks')
  const config = valueOf('ZeroshiftConfig')
  const sweep = valueOf('ZeroshiftSweep')
  return {
    ...(dataset !== undefined && { dataset }),
    ...(methods && { methods }),
    ...(ranks && { ranks }),
    ...(config !== undefined && { config }),
    ...(sweep !== undefined && { sweep }),
  }
}

export function stateOf({ status }: Pick<WorkflowExecutionInfo, 'status'>, { embedded }: Server): RunState {
  switch (status.name) {
    case 'RUNNING':
      return embedded ? 'interrupted' : 'running'
    case 'COMPLETED':
      return 'completed'
    case 'CANCELLED':
      return 'cancelled'
    default:
      return 'failed'
  }
}

/** Returns the start and the duration of a run for a table. */
export function times({ state, startedAt, seconds }: RunListEntry): readonly string[] {
  return [startedAt.replace('T', ' ').slice(0, 19), state === 'interrupted' ? '' : duration(seconds)]
}
