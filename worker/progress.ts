import { UserError } from '../common/errors.ts'

/**
 * How often at most a worker tells Temporal how far a stage is, in seconds: ZEROSHIFT_PROGRESS_SECONDS, 1 unless set. Each time is
 * a call to the server. Temporal's own default would show a person a step of training up to 24 seconds late; whatever is
 * set, its SDK tells it in time for the stage's heartbeat timeout. Throws a UserError where it is no such number.
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
