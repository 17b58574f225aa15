import type { MetricName } from '../records/results.ts'

/**
 * The figures that an acceptance rule may name: those of the results table that are distances, so
 * that smaller values are better, and that depend on no clock.
 */
export const acceptedFigures = [
  'averageGap',
  'gapWithoutMia',
  'activationForget',
  'activationRetained',
  'jsDivergence',
  'validationGap',
] as const satisfies readonly MetricName[]
export type AcceptedFigure = (typeof acceptedFigures)[number]
