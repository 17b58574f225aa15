import { moments } from './moments.ts'

/** What a sample's φ looks like under models of one kind. */
export interface Gaussian {
  readonly mean: number
  readonly deviation: number
  /** Kept, as it is asked for again for every φ. */
  readonly logDeviation: number
}

/** Standard deviation, in nats, below which no Gaussian goes, so that equal φ do not divide by 0. */
const LEAST_DEVIATION = 1e-6

export function gaussian(mean: number, variance: number): Gaussian {
  const deviation = Math.max(LEAST_DEVIATION, Math.sqrt(variance))
  return { mean, deviation, logDeviation: Math.log(deviation) }
}

/** log N(φ; μ, σ²) in nats, less the −½ log 2π that all Gaussians share. */
export function logDensity(phi: number, { mean, deviation, logDeviation }: Gaussian): number {
  const z = (phi - mean) / deviation
  return -logDeviation - (z * z) / 2
}

/** Fitted to values, two at least; variance with n − 1. */
export function fitGaussian(values: Float64Array): Gaussian {
  const { mean, variance } = moments(values)
  return gaussian(mean, variance)
}

/**
 * Fitted to the values but one, for each of them in turn; three at least. Without x the mean m of n values is
 * m − (x − m)/(n − 1), and Σ(y − m)² less by (x − m)² n/(n − 1).
 */
export function fitGaussiansWithoutOne(values: Float64Array): Gaussian[] {
  const n = values.length
  const { mean, variance } = moments(values)
  return Array.from(values, (value) => {
    const away = value - mean
    const squares = variance * (n - 1) - (away * away * n) / (n - 1)
    return gaussian(mean - away / (n - 1), Math.max(0, squares) / (n - 2))
  })
}
