import type { Client, WorkflowHandle } from '@temporalio/client'
import { UserError } from '../../common/errors.ts'
import { resumeSignal } from '../../workflows/names.ts'
import { interruption, type Interruption } from './interrupt.ts'
import { runningStack } from '../workspace/workspace.ts'
import { printProblem } from '../output/print.ts'
import { reasonOf } from '../server/unwrap-error.ts'
import { refusalOf, createOutput, type Output } from '../output/output.ts'
import type { Server } from '../server/temporal.ts'
import { refuseUnusable, refuseUnusableInAdvance } from './usable-places.ts'

/** What verbs share that start something, or join it where it is going on, and follow it to its end. */
export interface ExecuteOptions {
  readonly detach?: true
  readonly json?: true
  readonly temporal?: string
}

/** What is conducted: a run or a sweep. The last three answer the exit code. */
export interface Job<R> {
  readonly id: string
  /** What it consists of, for people. */
  readonly about: string
  /** `isFound`: the server knows Zeroshift's search attributes. */
  readonly start: (client: Client, isFound: boolean) => Promise<WorkflowHandle<() => Promise<R>>>
  /** Shows it until it ends; then answers or throws as it did. */
  readonly follow: (client: Client, handle: WorkflowHandle, ended: Promise<R>, io: Output) => Promise<R>
  /** What of it a tracking server has not taken yet, for a stack that ends with the command. */
  readonly untracked: (client: Client) => Promise<readonly string[]>
  readonly completed: (result: R, notes: readonly string[], io: Output) => number | Promise<number>
  readonly cancelled: (io: Output) => number
  readonly failed: (reason: string, io: Output) => number
}

/** A verb that ends with an answer, whatever happens. Answers the exit code. */
export async function answering(
  { json }: Pick<ExecuteOptions, 'json'>,
  attempt: (io: Output) => Promise<number>,
): Promise<number> {
  const io = createOutput(json ?? false)
  try {
    return await attempt(io)
  } catch (error) {
    printProblem(error)
    const { code, answer } = refusalOf(error)
    return io.answer(code, answer)
  }
}

/** `store`: where its results are kept. */
export async function executeWorkflow<R>(
  options: ExecuteOptions,
  io: Output,
  store: string,
  prepared: () => Promise<Job<R>>,
): Promise<number> {
  const { say, answer } = io
  const { connect, embeddedServer, existingServer, refuseUnableToStart } =
    await import('../server/temporal.ts')
  const existing = existingServer(options.temporal)
  if (options.detach && !existing)
    throw new UserError(
      'nothing would go on working after --detach: start `./zeroshift up` in this directory first, or name a Temporal ' +
        'server with --temporal HOST:PORT',
    )
  // Before a server and a worker are started, which write to the working directory.
  if (!existing) {
    await refuseUnusableInAdvance(store)
    await refuseUnableToStart()
  }
  const interrupt = interruption()
  // The server and the worker come up while the data is checked.
  const starting = existing ? Promise.resolve(existing) : embeddedServer({ onNote: say })
  starting.catch(() => undefined)
  try {
    const job = await prepared()
    // Elsewhere, the store is the workers' to reach.
    if (!existing || existing.address === runningStack()?.address) await refuseUnusable(store)
    const server = await starting
    const { client, close } = await connect(server)
    try {
      const { ensureSearchAttributes } = await import('../server/search-attributes.ts')
      const [isFound] = await Promise.all([
        ensureSearchAttributes(client),
        Promise.race([server.ready, server.broken]),
      ])
      if (interrupt.requested()) return job.cancelled(io)
      const handle = await job.start(client, isFound)
      // One that was paused goes on; for others it means nothing.
      await handle.signal(resumeSignal)
      if (!options.detach) return await watch(client, handle, job, server, interrupt, io)
      say(`${job.id}: ${job.about}, started. Follow it with: ./zeroshift status ${job.id}`)
      return answer(0, { id: job.id, status: 'running' })
    } finally {
      await close()
    }
  } finally {
    interrupt.off()
    await starting.then((server) => server.stop()).catch(() => undefined)
  }
}

async function watch<R>(
  client: Client,
  handle: WorkflowHandle<() => Promise<R>>,
  job: Job<R>,
  { broken, embedded }: Server,
  interrupt: Interruption,
  io: Output,
): Promise<number> {
  const [{ WorkflowFailedError }, { CancelledFailure }] = await Promise.all([
    import('@temporalio/client'),
    import('@temporalio/common'),
  ])
  interrupt.onRequest(() => {
    io.say('Stopping. Once more to stop at once.')
    handle.cancel().catch(() => undefined)
  })
  const ended = Promise.race([handle.result(), broken])
  // One that fails before it is followed is heard of when it is.
  ended.catch(() => undefined)
  const untracked = () => (embedded ? job.untracked(client) : Promise.resolve([]))
  try {
    const result = await job.follow(client, handle, ended, io)
    return await job.completed(result, await untracked(), io)
  } catch (error) {
    for (const note of await untracked()) io.say(note)
    const cause = error instanceof WorkflowFailedError ? error.cause : error
    if (cause instanceof CancelledFailure) return job.cancelled(io)
    return job.failed(reasonOf(cause), io)
  }
}
