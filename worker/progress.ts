import { UserError } from '../common/errors.ts'

/**
 * Returns the seconds between two heartbeats with the progress of a stage:
 * ZEROSHIFT_PROGRESS_SECONDS, or 1. Each heartbeat is a call to the server. With Temporal's own
 * default, the display could be 24 seconds late. For any value, the SDK sends heartbeats in time
 * for the stage's heartbeat timeout. Throws a UserError if the value is not valid.
 */
export function progressSeconds(env: NodeJS.ProcessEnv = process.env): number {
  const text = env.ZEROSHIFT_PROGRESS_SECONDS ?? '1'
  const seconds = text.trim() === '' ? NaN : Number(text)
  if (!(seconds > 0 && seconds <= 3600))
    throw new UserError(
      `ZEROSHIFT_PROGRESS_SECONDS is "${text}"; expected seconds between two reports of a stage's progress, 3600 at most`,
    )
  return seconds
}
