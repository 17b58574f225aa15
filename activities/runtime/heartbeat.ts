import { Context } from '@temporalio/activity'

/** This is shorter than every heartbeat timeout of an activity (see workflows/). */
const EVERY_MS = 4_000

/**
 * Sends heartbeats while some work is done that reports no progress itself. This lets Temporal
 * notice within seconds that a worker was killed, instead of after the longest time that the work
 * may take.
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
