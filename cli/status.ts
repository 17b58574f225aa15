import { WorkflowNotFoundError, type Client } from '@temporalio/client'
import { UserError } from '../experiment/errors.ts'
import type { RunInput, RunProgress, RunResult } from '../experiment/run.ts'
import { workflowId, workflowType } from '../workflows/names.ts'
import { listRuns, serverToLookAt, stateOf, times } from './listed.ts'
import { columns, coloursOf } from './print.ts'
import { progressOf } from './progress.ts'
import { renderProgress } from './render.ts'
import { connect, type Server } from './temporal.ts'

export interface StatusOptions {
  readonly json?: true
  readonly temporal?: string
}

/** `zeroshift status [ID]`: of the server that runs here, or of the one that ran here last. */
export async function status(id: string | undefined, options: StatusOptions): Promise<number> {
  const server = await serverToLookAt(options.temporal)
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

async function list(client: Client, server: Server, { json }: StatusOptions): Promise<number> {
  const runs = await listRuns(client, server, `WorkflowType = '${workflowType}'`)
  if (json)
    console.log(
      JSON.stringify(runs.map(({ id, state, startedAt, seconds }) => ({ id, state, startedAt, seconds }))),
    )
  else if (runs.length === 0) console.log('no runs yet')
  else
    console.log(
      columns([
        ['RUN', 'STATE', 'STARTED', 'TOOK'],
        ...runs.map((run) => [run.id, run.state, ...times(run)]),
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

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  return cause instanceof Error ? cause.message : String(cause)
}

function unknownRun(id: string): UserError {
  return new UserError(`there is no run '${id}' here; \`./zeroshift status\` lists them`)
}
