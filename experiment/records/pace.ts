import type { StageProgress } from './run.ts'

/** The speed of a running stage. */
export interface Pace {
  readonly stepsPerSecond: number
  /** The estimated time until the last step. */
  readonly secondsLeft: number
}

/**
 * Returns the pace of the current attempt of a stage, or undefined if it cannot be told yet.
 *
 * @param now milliseconds since 1970
 */
export function paceOf(stage: StageProgress, now: number): Pace | undefined {
  const { step, steps, resumedAt = 0, startedAt, steppedAt = now } = stage
  if (step === undefined || steps === undefined || startedAt === undefined) return undefined
  const done = step - resumedAt
  const left = steps - step
  const elapsed = (steppedAt - startedAt) / 1000
  // The time until the first step tells nothing about the rate.
  if (elapsed <= 0 || done < (done + left) / 100) return undefined
  const stepsPerSecond = done / elapsed
  return { stepsPerSecond, secondsLeft: Math.max(0, left / stepsPerSecond - (now - steppedAt) / 1000) }
}

/** `12/s`, `3.4/s`: the steps per second as text. */
export function rateText({ stepsPerSecond }: Pace): string {
  return `${stepsPerSecond < 10 ? stepsPerSecond.toFixed(1) : stepsPerSecond.toFixed(0)}/s`
}
