import { clip, duration, joinLines } from './format.ts'

/** Work that failed and is retried. */
export interface Retry {
  /** A stage's key or the activity's id, the same for all attempts. */
  readonly key: string
  /** The name of the work, for people. */
  readonly stage: string
  readonly reason: string
  /** The number of the attempt that is running or comes next. The first is 1. */
  readonly attempt: number
  /**
   * The time of the next attempt in milliseconds since 1970. Absent if it is running or waits for a
   * worker.
   */
  readonly nextAt?: number
  /** The time when the running attempt began, in milliseconds since 1970. */
  readonly startedAt?: number
}

/** Failures that are resolved sooner are not shown. */
const LASTING_MS = 5_000
/** A reason that stays the same is repeated after this time. */
const AGAIN_MS = 60_000

/** Decides which retries are shown. `now` is in milliseconds since 1970. */
export class RetryWatch {
  private readonly since = new Map<string, number>()
  private readonly reported = new Map<string, { readonly attempt: number; readonly at: number }>()

  /**
   * Returns the retries that have failed for some time. A running attempt counts up to its
   * beginning.
   */
  lasting(retries: readonly Retry[], now: number): readonly Retry[] {
    const keys = new Set(retries.map(({ key }) => key))
    for (const key of this.since.keys()) if (!keys.has(key)) this.since.delete(key)
    return retries.filter(({ key, startedAt = now }) => {
      const since = this.since.get(key) ?? now
      this.since.set(key, since)
      return Math.min(startedAt, now) - since >= LASTING_MS
    })
  }

  /** Returns lines for a log: one for each new reason, and one a minute for a reason that stays. */
  newLines(lasting: readonly Retry[], now: number): readonly string[] {
    return lasting.flatMap((retry) => {
      const { key, attempt } = retry
      const name = `${key} ${alike(retry.reason)}`
      const reported = this.reported.get(name)
      if (reported && (reported.attempt === attempt || now - reported.at < AGAIN_MS)) return []
      this.reported.set(name, { attempt, at: now })
      return [retryLine(retry, now)]
    })
  }
}

/**
 * Returns the reason without numbers and names of temporary files, so that these make no
 * difference.
 */
function alike(reason: string): string {
  return reason.replace(/[0-9a-f-]{8,}|\d+/gi, '#')
}

export function retryLine({ stage, reason, attempt, nextAt }: Retry, now: number): string {
  const failed = `${stage}: attempt ${attempt - 1} failed: ${joinLines(reason)}`
  const next =
    nextAt === undefined
      ? `attempt ${attempt} is under way`
      : `attempt ${attempt} begins in ${duration(Math.max(0, nextAt - now) / 1000)}`
  return `${failed}. It is tried again: ${next}`
}

/** Returns lines for a display with `width` columns. */
export function retryLines(retries: readonly Retry[], width: number, now: number): readonly string[] {
  return retries.map((retry) => clip(`  ! ${retryLine(retry, now)}`, width))
}
