/** Lower and upper end of a two-sided 95% confidence interval. */
export type Interval = readonly [low: number, high: number]

/** 0.975 quantile of the standard normal distribution. */
export const NORMAL_QUANTILE = 1.959963984540054

/** Mean and unbiased variance, Σ(x − mean)²/(n − 1), of n values; the variance of one value is NaN. */
export function moments(values: readonly number[] | Float64Array): {
  readonly mean: number
  readonly variance: number
} {
  let sum = 0
  for (const value of values) sum += value
  const mean = sum / values.length
  let squares = 0
  for (const value of values) squares += (value - mean) ** 2
  return { mean, variance: squares / (values.length - 1) }
}

/** `successes` of n ≥ 1 as a proportion in [0, 1], with Wilson's (1927) score interval, which never leaves [0, 1]. */
export function wilsonInterval(successes: number, n: number): Interval {
  const z2 = NORMAL_QUANTILE ** 2
  const share = successes / n
  const centre = (share + z2 / (2 * n)) / (1 + z2 / n)
  const half = (NORMAL_QUANTILE / (1 + z2 / n)) * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n))
  // At 0 and n the ends are exact, and rounding would miss them.
  return [successes === 0 ? 0 : centre - half, successes === n ? 1 : centre + half]
}
