import { setTimeout as sleep } from 'node:timers/promises'
import type { NativeConnection } from '@temporalio/worker'

const EVERY_MS = 3_000
const TIMEOUT_MS = 3_000

/**
 * Checks every few seconds whether the Temporal server answers and reports the result, until the
 * signal aborts. The SDK retries a refused connection for 5 to 10 seconds before the check fails. A
 * server that does not answer fails it after 3 seconds. A computation that blocks this process
 * delays checks, but does not make them fail, because the SDK's native part receives the answers.
 */
export async function watchServer(
  connection: NativeConnection,
  report: (answers: boolean) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const answers = await connection
      .withDeadline(Date.now() + TIMEOUT_MS, () => connection.workflowService.getSystemInfo({}))
      .then(
        () => true,
        () => false,
      )
    if (!signal.aborted) report(answers)
    await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined)
  }
}
