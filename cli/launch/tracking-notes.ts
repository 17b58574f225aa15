import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@temporalio/client'
import type { Settings } from '../../experiment/spec/settings.ts'
import { trackingId } from '../../workflows/names.ts'
import { errorReason } from '../server/unwrap-error.ts'

const TRACKING_MS = 10_000

/**
 * Waits up to 10 s until the MLflow server of a run or a sweep has received everything. Returns a
 * note with the remedy if it has not. What it has not received is kept.
 */
export async function trackingNotes(
  client: Client,
  id: string,
  tracking: Settings['tracking'],
): Promise<readonly string[]> {
  if (!tracking) return []
  const remedy = `./zeroshift track ${id}`
  const waiting = `MLflow at ${tracking.uri} has not taken this run's metrics yet. They are kept; once it answers: ${remedy}`
  return Promise.race([
    client.workflow
      .getHandle(trackingId(id))
      .result()
      .then(
        () => [],
        (error: unknown) => [`${errorReason(error)}. The metrics are kept: ${remedy}`],
      ),
    sleep(TRACKING_MS, [waiting], { ref: false }),
  ])
}
