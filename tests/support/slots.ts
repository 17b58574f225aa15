import type { StageKind } from '../../experiment/stages/stage.ts'

/**
 * The life of a worker, in milliseconds since 1970: from when it asked for work until it was killed
 * or the sweep had no more work.
 */
export interface Life {
  readonly pid: number
  readonly from: number
  readonly to: number
  readonly killed: boolean
}

/** The stages that `zeroshift-train` serves. Each worker has one slot for them. */
const long: ReadonlySet<string> = new Set<StageKind>(['train', 'unlearn', 'evaluate'])

/**
 * The share of their lives during which the workers' slots for long stages were taken, from their
 * logs (JSON, level `info`). An attempt that only found that another worker computes the stage is
 * not counted as work. An attempt that was killed has left no line: the life of a killed worker
 * counts until the end of the attempt before.
 */
export function busyShare(log: string, lives: readonly Life[]): number {
  const attempts = log.split('\n').flatMap(attemptIn)
  let [busy, lived] = [0, 0]
  for (const { pid, from, to, killed } of lives) {
    const own = attempts.filter(
      (attempt) => attempt.pid === pid && attempt.began < to && attempt.ended > from,
    )
    const end = killed ? Math.max(from, ...own.map(({ ended }) => ended)) : to
    lived += end - from
    for (const { began, ended, outcome } of own)
      if (outcome !== 'waits') busy += Math.min(ended, end) - Math.max(began, from)
  }
  return busy / lived
}

interface Attempt {
  readonly pid: number
  readonly began: number
  readonly ended: number
  readonly outcome: string
}

function attemptIn(line: string): readonly Attempt[] {
  // Other lines are of the Temporal server, or were cut off by a kill.
  const match = /^\{.*"msg":"attempt ([a-z-]+)"\}$/.exec(line)
  if (!match) return []
  const { time, pid, stage, seconds } = JSON.parse(line) as Record<string, unknown>
  if (typeof stage !== 'string' || !long.has(stage)) return []
  const ended = Date.parse(String(time))
  return [{ pid: Number(pid), began: ended - 1000 * Number(seconds), ended, outcome: match[1] ?? '' }]
}
