import type { WorkflowHandle } from '@temporalio/client'
import { follow, type Display } from '../output/follow.ts'
import { errorReason } from '../server/unwrap-error.ts'
import type { CommandServer, ConnectedServer } from './command-server.ts'

/** A workflow that the command started or joined. */
export interface Launched<Result> {
  readonly handle: WorkflowHandle<() => Promise<Result>>
  readonly server: ConnectedServer
}

/** How a workflow ended. `notes` are lines about what its tracking server has not received. */
export type Outcome<Result> =
  | { readonly status: 'completed'; readonly result: Result; readonly notes: readonly string[] }
  | { readonly status: 'cancelled'; readonly notes: readonly string[] }
  | { readonly status: 'failed'; readonly reason: string; readonly notes: readonly string[] }

/** The outcome of a workflow that was not started since Ctrl-C came first. */
export const interrupted = { status: 'cancelled', notes: [] } as const

/** How the progress of a workflow is read and shown. */
interface ProgressDisplay<Progress> {
  readonly read: () => Promise<Progress>
  readonly display: Display<Progress>
  readonly everyMs: number
}

/**
 * Shows a workflow until it ends and returns its outcome. Ctrl-C cancels the workflow. It calls
 * `trackingNotes` after the end if the server stops with this command.
 */
export async function watchWorkflow<Result, Progress>(
  { handle, server: { broken, embedded } }: Launched<Result>,
  { interruption }: CommandServer,
  { read, display, everyMs }: ProgressDisplay<Progress>,
  trackingNotes: () => Promise<readonly string[]>,
): Promise<Outcome<Result>> {
  const [{ WorkflowFailedError }, { CancelledFailure }] = await Promise.all([
    import('@temporalio/client'),
    import('@temporalio/common'),
  ])
  interruption.onRequest(() => {
    handle.cancel().catch(() => undefined)
  })
  const result = Promise.race([handle.result(), broken])
  // Avoids an unhandled rejection: `follow` reports the failure.
  result.catch(() => undefined)
  // A server that keeps running sends the rest to MLflow after the command has ended.
  const notes = () => (embedded ? trackingNotes() : Promise.resolve([]))
  try {
    return { status: 'completed', result: await follow(read, result, display, everyMs), notes: await notes() }
  } catch (error) {
    const cause = error instanceof WorkflowFailedError ? error.cause : error
    if (cause instanceof CancelledFailure) return { status: 'cancelled', notes: await notes() }
    return { status: 'failed', reason: errorReason(cause), notes: await notes() }
  }
}
