import { moments } from './moments.ts'

/** The distribution of one sample's φ under models of one kind, in nats. */
export interface Gaussian {
  readonly mean: number
  readonly deviation: number
  /** Precomputed, since every density needs it. */
  readonly logDeviation: number
}

/**
 * The smallest standard deviation of a Gaussian, in nats. It avoids a division by 0 for equal φ.
 */
const LEAST_DEVIATION = 1e-6

export function gaussian(mean: number, variance: number): Gaussian {
  const deviation = Math.max(LEAST_DEVIATION, Math.sqrt(variance))
  return { mean, deviation, logDeviation: Math.log(deviation) }
}

/** log N(φ; μ, σ²) in nats without the constant −½ log 2π. */
export function logDensity(phi: number, { mean, deviation, logDeviation }: Gaussian): number {
  const z = (phi - mean) / deviation
  return -logDeviation - (z * z) / 2
}

/** Fits a Gaussian to at least two values. The variance has the divisor n − 1. */
export function fitGaussian(values: Float64Array): Gaussian {
  const { mean, variance } = moments(values)
  return gaussian(mean, variance)
}

/**
 * For each value, the Gaussian fitted to all others; at least three values. Without x, the mean m
 * of n values is m − (x − m)/(n − 1), and Σ(y − m)² is smaller by (x − m)² n/(n − 1).
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
