import { paceOf } from './pace.ts'
import type { RunProgress, StageProgress } from './run.ts'

/** The work of a run that is left. */
export interface RemainingWork {
  /** The estimated seconds of all stages whose length is known. */
  readonly seconds: number
  /** The number of stages whose length is unknown. */
  readonly unknown: number
}

/**
 * Returns the work that is left, or undefined if none is or if nothing is known of it.
 *
 * @param seconds the estimated wall times in seconds, by the keys of stages
 * @param now milliseconds since 1970
 */
export function remainingWork(
  { stages }: RunProgress,
  seconds: ReadonlyMap<string, number>,
  now: number,
): RemainingWork | undefined {
  const open = stages.filter(
    ({ state, elsewhere }) => (state === 'waiting' || state === 'running') && !elsewhere,
  )
  const known = open.flatMap((stage) => leftOf(stage, seconds.get(stage.key), now) ?? [])
  if (known.length === 0) return undefined
  return { seconds: known.reduce((sum, one) => sum + one, 0), unknown: open.length - known.length }
}

/** Returns the seconds that a stage still takes: by its own pace, or else by the estimate. */
function leftOf(stage: StageProgress, estimate: number | undefined, now: number): number | undefined {
  const pace = paceOf(stage, now)
  if (pace) return pace.secondsLeft
  if (estimate === undefined) return undefined
  const { startedAt } = stage
  return startedAt === undefined ? estimate : Math.max(0, estimate - (now - startedAt) / 1000)
}
