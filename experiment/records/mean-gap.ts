import type { Measured } from './measured.ts'

/**
 * The mean validation gap of a variant over the rounds of its trials, in points. Undefined if it
 * failed in a round or was not tried.
 */
export function meanGap(gaps: readonly Measured[]): number | undefined {
  const values = gaps.flatMap((gap) => ('value' in gap ? gap.value : []))
  if (values.length === 0 || values.length < gaps.length) return undefined
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
