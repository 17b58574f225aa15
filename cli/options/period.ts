import { UserError } from '../../common/errors.ts'
import { millisecondsOf } from '../../common/period.ts'

const SHORTEST_GRACE = 600_000

/** Returns the value of `--grace` in milliseconds. Throws a UserError. */
export function graceOf(text: string): number {
  const grace = millisecondsOf(text)
  if (grace !== undefined && grace >= SHORTEST_GRACE) return grace
  throw new UserError(
    `--grace: expected a time such as 30m, 24h or 7d, at least 10m, found '${text}'. What is younger may belong to a ` +
      'stage that is being stored',
  )
}

/** Returns the value of another option in milliseconds. Throws a UserError. */
export function periodOf(option: string, text: string): number {
  const period = millisecondsOf(text)
  if (period !== undefined && period > 0) return period
  throw new UserError(`${option}: expected a time above 0 such as 90m, 12h or 30d, found '${text}'`)
}
