import { setTimeout as sleep } from 'node:timers/promises'
import type { NativeConnection } from '@temporalio/worker'

const EVERY_MS = 3_000
const PATIENCE_MS = 3_000

/**
 * Asks Temporal every few seconds whether it answers, and tells, until the signal aborts. A server that refuses is asked by
 * the SDK for 5 to 10 seconds before a question counts as not answered; one that is silent, for the patience. A step that
 * holds this process up delays questions, and makes no answer a late one: the native half gets it.
 */
export async function watchServer(
  connection: NativeConnection,
  tell: (answers: boolean) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const answers = await connection
      .withDeadline(Date.now() + PATIENCE_MS, () => connection.workflowService.getSystemInfo({}))
      .then(
        () => true,
        () => false,
      )
    if (!signal.aborted) tell(answers)
    await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined)
  }
}
