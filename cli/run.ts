import type { WorkflowHandle } from '@temporalio/client'
import { UserError } from '../experiment/errors.ts'
import type { RunInput, RunResult } from '../experiment/run.ts'
import { stagesOf } from '../experiment/stage-list.ts'
import { workflowId, workflowType } from '../workflows/names.ts'
import { counted } from './format.ts'
import { interruption, type Interruption } from './interrupt.ts'
import { prepare, readConfig } from './prepare.ts'
import { printProblem } from './print.ts'
import { talk, type Talk } from './talk.ts'
import type { Server } from './temporal.ts'

export interface RunOptions {
  readonly set?: readonly string[]
  readonly dryRun?: true
  readonly detach?: true
  readonly json?: true
  readonly store?: string
  readonly temporal?: string
}

type Experiment = (input: RunInput) => Promise<RunResult>

/** `zeroshift run`. Answers the exit code. */
export async function run(config: string, options: RunOptions): Promise<number> {
  const io = talk(options.json ?? false)
  try {
    return await attempt(config, options, io)
  } catch (error) {
    printProblem(error)
    if (error instanceof UserError) return io.answer(2, { status: 'invalid', problems: error.problems })
    return io.answer(1, { status: 'failed', error: error instanceof Error ? error.message : String(error) })
  }
}

async function attempt(config: string, options: RunOptions, io: Talk): Promise<number> {
  const { say, answer } = io
  const asked = { config, overrides: options.set ?? [], store: options.store }
  const parsed = await readConfig(asked)
  if (options.dryRun) {
    const { dryRun } = await import('./dry-run.ts')
    return dryRun(await prepare(asked, parsed, say), io)
  }

  const { connect, embeddedServer, existingServer } = await import('./temporal.ts')
  const existing = existingServer(options.temporal)
  if (options.detach && !existing)
    throw new UserError(
      'nothing would go on working after --detach: start `./zeroshift up` in this directory first, or name a Temporal ' +
        'server with --temporal HOST:PORT',
    )
  const interrupt = interruption()
  // The server and the worker come up while the data is checked.
  const starting = existing ? Promise.resolve(existing) : embeddedServer({ onNote: say })
  starting.catch(() => undefined)
  try {
    const input = await prepare(asked, parsed, say)
    const server = await starting
    const { client, close } = await connect(server)
    try {
      const { cancelled } = await import('./conclude.ts')
      await Promise.race([server.ready, server.broken])
      if (interrupt.requested()) return cancelled(input, io)
      const { id, plan } = input.run
      const handle = await client.workflow.start<Experiment>(workflowType, {
        workflowId: workflowId(id),
        taskQueue: 'zeroshift',
        workflowIdConflictPolicy: 'USE_EXISTING',
        args: [input],
      })
      if (!options.detach) return await watch(handle, input, server, interrupt, io)
      say(
        `${id}: ${counted(stagesOf(plan).length, 'stage')}, started. Follow it with: ./zeroshift status ${id}`,
      )
      return answer(0, { id, status: 'running' })
    } finally {
      await close()
    }
  } finally {
    interrupt.off()
    await starting.then((server) => server.stop()).catch(() => undefined)
  }
}

async function watch(
  handle: WorkflowHandle<Experiment>,
  input: RunInput,
  { broken }: Server,
  interrupt: Interruption,
  io: Talk,
): Promise<number> {
  const [
    { follow, viewOn },
    { cancelled, completed, failed },
    { WorkflowFailedError },
    { CancelledFailure },
  ] = await Promise.all([
    import('./follow.ts'),
    import('./conclude.ts'),
    import('@temporalio/client'),
    import('@temporalio/common'),
  ])
  interrupt.onRequest(() => {
    io.say('Stopping. Once more to stop at once.')
    handle.cancel().catch(() => undefined)
  })
  const ended = Promise.race([handle.result(), broken])
  try {
    const result = await follow(handle, ended, await viewOn(io.out), io.out.isTTY ? 200 : 500)
    return completed(result, io)
  } catch (error) {
    const cause = error instanceof WorkflowFailedError ? error.cause : error
    if (cause instanceof CancelledFailure) return cancelled(input, io)
    return failed(input, cause instanceof Error ? cause.message : String(cause), io)
  }
}
