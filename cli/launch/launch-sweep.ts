import type { Client } from '@temporalio/client'
import { UserError } from '../../common/errors.ts'
import type {
  SweepChange,
  SweepInput,
  SweepProgress,
  SweepRecord,
  SweepResult,
} from '../../experiment/sweep/sweep.ts'
import { changeUpdate, fairShare, resumeSignal, sweepType, workflowId } from '../../workflows/names.ts'
import { displayOn } from '../output/follow.ts'
import { sweepWriter } from '../output/render-sweep.ts'
import type { CommandServer } from './command-server.ts'
import { trackingNotes } from './tracking-notes.ts'
import { watchWorkflow, type Launched, type Outcome } from './watch-workflow.ts'

type Sweep = (input: SweepInput) => Promise<SweepResult>

/**
 * Starts a sweep's workflow. A sweep that runs already receives the changes, and is resumed if it
 * is paused. Returns undefined, and starts nothing, if Ctrl-C came first. Throws a UserError if
 * `again` asks to repeat the failed cells of a sweep that runs.
 */
export async function launchSweep(
  input: SweepInput,
  { again = false, ...change }: SweepChange & { readonly again?: boolean },
  { connect, interruption }: CommandServer,
): Promise<Launched<SweepResult> | undefined> {
  const { id } = input
  const server = await connect()
  if (interruption.requested()) return undefined
  const { client, searchable } = server
  if (await isRunning(client, id)) {
    if (again)
      throw new UserError(`${id} is going on: what failed of it can be tried again once it has ended`)
    await client.workflow
      .getHandle(workflowId(id))
      .executeUpdate<SweepProgress, [SweepChange]>(changeUpdate, {
        args: [{ ...change, maxParallel: input.maxParallel }],
      })
  }
  const handle = await client.workflow.start<Sweep>(sweepType, {
    workflowId: workflowId(id),
    taskQueue: 'zeroshift',
    workflowIdConflictPolicy: 'USE_EXISTING',
    priority: fairShare(id),
    ...(searchable && {
      typedSearchAttributes: [{ key: { name: 'ZeroshiftSweep', type: 'KEYWORD' }, value: id }],
    }),
    args: [{ ...input, searchable }],
  })
  await handle.signal(resumeSignal)
  return { handle, server }
}

async function isRunning(client: Client, id: string): Promise<boolean> {
  const { WorkflowNotFoundError } = await import('@temporalio/client')
  return client.workflow
    .getHandle(workflowId(id))
    .describe()
    .then(
      ({ status }) => status.name === 'RUNNING',
      (error: unknown) => {
        if (error instanceof WorkflowNotFoundError) return false
        throw error
      },
    )
}

/** Shows the sweep until it ends. */
export async function watchSweep(
  launched: Launched<SweepResult>,
  record: SweepRecord,
  server: CommandServer,
): Promise<Outcome<SweepResult>> {
  const { sweepViewOf } = await import('../output/sweep-progress.ts')
  const { client } = launched.server
  const { out } = server.output
  const progress = {
    read: () => sweepViewOf(client, launched.handle),
    display: await displayOn(out, sweepWriter(record)),
    everyMs: out.isTTY ? 1000 : 2000,
  }
  return watchWorkflow(launched, server, progress, () => trackingNotes(client, record.id, record.tracking))
}
