import { clip, duration } from './format.ts'
import { oneLine } from './render-run.ts'

/** Work that failed and is tried again, because the world may put the reason right. */
export interface Retry {
  /** The same for all attempts: a stage's key, or the activity's id. */
  readonly key: string
  /** What is tried again, for people. */
  readonly stage: string
  readonly reason: string
  /** The number of the attempt that is under way, or comes next; the first is 1. */
  readonly attempt: number
  /** Milliseconds since 1970. Absent: it is under way, or waits for a worker. */
  readonly nextAt?: number
  /** The same of the beginning of the attempt that is under way. */
  readonly startedAt?: number
}

/** Failures that are over sooner are not shown. */
const LASTING_MS = 5_000
/** A reason that stays is told again after this. */
const AGAIN_MS = 60_000

/** Follows what is tried again: `now` is in milliseconds since 1970. */
export class RetryWatch {
  private readonly since = new Map<string, number>()
  private readonly told = new Map<string, { readonly attempt: number; readonly at: number }>()

  /** Those that have failed for some time. An attempt that is under way counts up to its beginning. */
  lasting(retries: readonly Retry[], now: number): readonly Retry[] {
    const keys = new Set(retries.map(({ key }) => key))
    for (const key of this.since.keys()) if (!keys.has(key)) this.since.delete(key)
    return retries.filter(({ key, startedAt = now }) => {
      const since = this.since.get(key) ?? now
      this.since.set(key, since)
      return Math.min(startedAt, now) - since >= LASTING_MS
    })
  }

  /** For logs: a line for each that has a new reason, and now and then for one that goes on failing. */
  newLines(lasting: readonly Retry[], now: number): readonly string[] {
    return lasting.flatMap((retry) => {
      const { key, attempt } = retry
      const name = `${key} ${alike(retry.reason)}`
      const told = this.told.get(name)
      if (told && (told.attempt === attempt || now - told.at < AGAIN_MS)) return []
      this.told.set(name, { attempt, at: now })
      return [retryLine(retry, now)]
    })
  }
}

/** Names of temporary files and numbers make no other reason. */
function alike(reason: string): string {
  return reason.replace(/[0-9a-f-]{8,}|\d+/gi, '#')
}

export function retryLine({ stage, reason, attempt, nextAt }: Retry, now: number): string {
  const failed = `${stage}: attempt ${attempt - 1} failed: ${oneLine(reason)}`
  const next =
    nextAt === undefined
      ? `attempt ${attempt} is under way`
      : `attempt ${attempt} begins in ${duration(Math.max(0, nextAt - now) / 1000)}`
  return `${failed}. It is tried again: ${next}`
}

/** For a display of the given width, below what goes on. */
export function retryLines(retries: readonly Retry[], width: number, now: number): readonly string[] {
  return retries.map((retry) => clip(`  ! ${retryLine(retry, now)}`, width))
}
