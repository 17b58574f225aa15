import type { Estimate, Measured } from '../experiment/records/measured.ts'
import { ranges, type Figure } from '../experiment/records/results.ts'
import { overSeeds } from './over-seeds.ts'

/**
 * The figure of an attack from its estimates in [0, 1], one for each seed: as a share, or in
 * percent. Over several seeds it is the mean with its interval; for one seed it has the interval of
 * the attack itself.
 */
export function attackFigure(estimates: readonly Estimate[], unit: 'share' | 'percent'): Figure {
  const scale = unit === 'share' ? 1 : 100
  const figure = overSeeds(
    estimates.map((one): Measured => ('value' in one ? { value: scale * one.value } : one)),
    ranges[unit],
  )
  const [only] = estimates
  if (estimates.length > 1 || 'missing' in figure || !only || 'missing' in only || !only.interval)
    return figure
  const [low, high] = only.interval
  return { ...figure, between: [scale * low, scale * high] }
}
