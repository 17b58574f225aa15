import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { WorkflowNotFoundError, type Client, type WorkflowExecutionInfo } from '@temporalio/client'
import { UserError } from '../experiment/errors.ts'
import type { RunInput, RunProgress, RunResult } from '../experiment/run.ts'
import { workflowId, workflowType } from '../workflows/names.ts'
import { duration } from './format.ts'
import { home, runningStack } from './place.ts'
import { columns, coloursOf } from './print.ts'
import { progressOf } from './progress.ts'
import { renderProgress } from './render.ts'
import { connect, embeddedServer, existingServer, type Server } from './temporal.ts'

export interface StatusOptions {
  readonly json?: true
  readonly temporal?: string
}

/** What a person calls the state of a run. `interrupted`: it was going on when its server stopped. */
type RunState = 'running' | 'interrupted' | 'completed' | 'failed' | 'cancelled'

/** `zeroshift status [ID]`: of the server that runs here, or of the one that ran here last. */
export async function status(id: string | undefined, options: StatusOptions): Promise<number> {
  const server = await serverFor(options)
  if (!server) {
    if (id !== undefined) throw unknownRun(id)
    console.log(options.json ? '[]' : 'no runs yet in this directory')
    return 0
  }
  try {
    const { client, close } = await connect(server)
    try {
      return await (id === undefined ? list(client, server, options) : one(client, server, id, options))
    } finally {
      await close()
    }
  } finally {
    await server.stop()
  }
}

async function serverFor({ temporal }: StatusOptions): Promise<Server | undefined> {
  // A run's own stack is not for others to use, but to look at.
  const existing = existingServer(temporal ?? runningStack()?.address)
  if (existing) return existing
  return existsSync(join(home, 'temporal.db')) ? embeddedServer({ withWorker: false }) : undefined
}

async function list(client: Client, server: Server, { json }: StatusOptions): Promise<number> {
  const runs: { id: string; state: RunState; startedAt: string; seconds: number }[] = []
  for await (const info of client.workflow.list({ query: `WorkflowType = '${workflowType}'` }))
    runs.push({
      id: info.workflowId.replace(workflowId(''), ''),
      state: stateOf(info, server),
      startedAt: info.startTime.toISOString(),
      seconds: ((info.closeTime?.getTime() ?? Date.now()) - info.startTime.getTime()) / 1000,
    })
  if (json) console.log(JSON.stringify(runs))
  else if (runs.length === 0) console.log('no runs yet')
  else
    console.log(
      columns([
        ['RUN', 'STATE', 'STARTED', 'TOOK'],
        ...runs.map(({ id, state, startedAt, seconds }) => [
          id,
          state,
          startedAt.replace('T', ' ').slice(0, 19),
          state === 'interrupted' ? '' : duration(seconds),
        ]),
      ]),
    )
  return 0
}

async function one(client: Client, server: Server, id: string, { json }: StatusOptions): Promise<number> {
  const handle = client.workflow.getHandle<(input: RunInput) => Promise<RunResult>>(workflowId(id))
  const info = await handle.describe().catch((error: unknown) => {
    throw error instanceof WorkflowNotFoundError ? unknownRun(id) : error
  })
  const state = stateOf(info, server)
  const details: { progress?: RunProgress; result?: RunResult; error?: string } = {}
  if (state === 'running') details.progress = await progressOf(handle)
  if (state === 'completed') details.result = await handle.result()
  if (state === 'failed')
    details.error = await handle.result().then(
      () => '',
      (error: unknown) => reasonOf(error),
    )
  if (json) {
    console.log(JSON.stringify({ id, state, ...details }))
    return 0
  }
  const { progress, result, error } = details
  if (progress)
    console.log(
      renderProgress(
        progress,
        process.stdout.columns || 100,
        Date.now(),
        coloursOf(process.stdout).isColorSupported,
      ),
    )
  else console.log(`${id}: ${state}`)
  if (result)
    console.log(`${result.computed} stages computed, ${result.cached} cached; report: ${result.report}`)
  if (error) console.log(error)
  if (state !== 'running' && state !== 'completed') console.log(`To go on: ./zeroshift resume ${id}`)
  return 0
}

function stateOf({ status }: Pick<WorkflowExecutionInfo, 'status'>, { embedded }: Server): RunState {
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

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  return cause instanceof Error ? cause.message : String(cause)
}

function unknownRun(id: string): UserError {
  return new UserError(`there is no run '${id}' here; \`./zeroshift status\` lists them`)
}
