/**
 * The mean and the unbiased variance Σ(x − mean)²/(n − 1) of n values. The variance of one value is
 * NaN.
 */
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
