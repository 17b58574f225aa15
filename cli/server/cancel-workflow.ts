import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client'
import { CancelledFailure } from '@temporalio/common'
import { notActive } from './active-workflow.ts'

/** How a workflow ended that was to be cancelled. It may have ended by itself before. */
export type CancelOutcome = 'cancelled' | 'completed' | 'failed'

/** Cancels a run or a sweep and waits for its end. Throws a UserError if it is not going on. */
export async function cancelWorkflow(handle: WorkflowHandle, id: string): Promise<CancelOutcome> {
  const { status } = await handle.describe()
  if (status.name !== 'RUNNING') throw notActive(id)
  await handle.cancel()
  return handle.result().then(
    () => 'completed',
    (error: unknown) => {
      if (!(error instanceof WorkflowFailedError)) throw error
      return error.cause instanceof CancelledFailure ? 'cancelled' : 'failed'
    },
  )
}

/** The outcome as the predicate of a sentence. */
export const cancelWords: Readonly<Record<CancelOutcome, string>> = {
  cancelled: 'is cancelled',
  completed: 'had come to its end',
  failed: 'had failed',
}
