import { Context } from '@temporalio/activity'

/** A fraction of any heartbeat timeout that an activity is given (see workflows/). */
const EVERY_MS = 4_000

/**
 * Shows life to Temporal while some work goes on that has nothing else to say: without it, what a
 * killed worker had begun would be missed after the whole time that such work may take, not after
 * seconds.
 */
export async function withHeartbeat<T>(work: () => T | Promise<T>): Promise<T> {
  const { heartbeat } = Context.current()
  const beating = setInterval(() => {
    heartbeat()
  }, EVERY_MS)
  try {
    return await work()
  } finally {
    clearInterval(beating)
  }
}
