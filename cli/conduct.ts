import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, WorkflowHandle } from '@temporalio/client'
import { UserError } from '../experiment/errors.ts'
import type { RunInput, RunResult } from '../experiment/run.ts'
import { searchAttributesOf } from '../experiment/search-attributes.ts'
import { stagesOf } from '../experiment/stage-list.ts'
import { fairShare, resumeSignal, trackingId, workflowId, workflowType } from '../workflows/names.ts'
import { counted } from './format.ts'
import { interruption, type Interruption } from './interrupt.ts'
import { printProblem } from './print.ts'
import { talk, type Talk } from './talk.ts'
import type { Server } from './temporal.ts'

/** What `run` and `resume` share: a run is started, or joined where it is going on, and followed to its end. */
export interface ConductOptions {
  readonly detach?: true
  readonly json?: true
  readonly temporal?: string
}

type Experiment = (input: RunInput) => Promise<RunResult>

/** A verb that ends with an answer, whatever happens. Answers the exit code. */
export async function answering(
  { json }: Pick<ConductOptions, 'json'>,
  attempt: (io: Talk) => Promise<number>,
): Promise<number> {
  const io = talk(json ?? false)
  try {
    return await attempt(io)
  } catch (error) {
    printProblem(error)
    if (error instanceof UserError) return io.answer(2, { status: 'invalid', problems: error.problems })
    return io.answer(1, { status: 'failed', error: error instanceof Error ? error.message : String(error) })
  }
}

export async function conduct(
  options: ConductOptions,
  io: Talk,
  prepared: () => Promise<RunInput>,
): Promise<number> {
  const { say, answer } = io
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
    const input = await prepared()
    const server = await starting
    const { client, close } = await connect(server)
    try {
      const [{ cancelled }, { ensureSearchAttributes }] = await Promise.all([
        import('./conclude.ts'),
        import('./search.ts'),
      ])
      const [isFound] = await Promise.all([
        ensureSearchAttributes(client),
        Promise.race([server.ready, server.broken]),
      ])
      if (interrupt.requested()) return cancelled(input, io)
      const { id, plan } = input.run
      const handle = await client.workflow.start<Experiment>(workflowType, {
        workflowId: workflowId(id),
        taskQueue: 'zeroshift',
        workflowIdConflictPolicy: 'USE_EXISTING',
        priority: fairShare(id),
        ...(isFound && { typedSearchAttributes: searchAttributesOf(input.run) }),
        args: [input],
      })
      // One that was paused goes on; for others it means nothing.
      await handle.signal(resumeSignal)
      if (!options.detach) return await watch(client, handle, input, server, interrupt, io)
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
  client: Client,
  handle: WorkflowHandle<Experiment>,
  input: RunInput,
  { broken, embedded }: Server,
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
  const tracked = () => (embedded ? untracked(client, input) : Promise.resolve([]))
  try {
    const result = await follow(handle, ended, await viewOn(io.out), io.out.isTTY ? 200 : 500)
    return completed({ ...result, notes: [...result.notes, ...(await tracked())] }, io)
  } catch (error) {
    for (const note of await tracked()) io.say(note)
    const cause = error instanceof WorkflowFailedError ? error.cause : error
    if (cause instanceof CancelledFailure) return cancelled(input, io)
    return failed(input, cause instanceof Error ? cause.message : String(cause), io)
  }
}

const TRACKING_MS = 10_000

/**
 * An embedded stack ends with the command: the tracking server is given a moment to take what the run left. What it did
 * not take waits, and the note says so.
 */
async function untracked(
  client: Client,
  { run, settings: { tracking } }: RunInput,
): Promise<readonly string[]> {
  if (!tracking) return []
  const waiting = `MLflow at ${tracking.uri} has not taken this run's metrics yet. They are kept; once it answers: ./zeroshift track ${run.id}`
  return Promise.race([
    client.workflow
      .getHandle(trackingId(run.id))
      .result()
      .then(
        () => [],
        (error: unknown) => [`${reasonOf(error)}. The metrics are kept: ./zeroshift track ${run.id}`],
      ),
    sleep(TRACKING_MS, [waiting], { ref: false }),
  ])
}

function reasonOf(error: unknown): string {
  let cause = error
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause
  return cause instanceof Error ? cause.message : String(cause)
}
