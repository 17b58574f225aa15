/** The lower and the upper end of a two-sided 95% confidence interval. */
export type Interval = readonly [low: number, high: number]

/** The 0.975 quantile of the standard normal distribution. */
export const NORMAL_QUANTILE = 1.959963984540054

/** A mean and half the width of its 95% interval. A single value has no interval. */
export interface MeanInterval {
  readonly mean: number
  readonly half?: number
}

/**
 * The mean of independent, approximately normal values and its 95% interval,
 * mean ± t₀.₉₇₅(n − 1) · s / √n, where s² is the unbiased variance (Student 1908).
 */
export function meanInterval(values: readonly number[]): MeanInterval {
  const [first] = values
  if (first === undefined) throw new RangeError('no values have no mean; expected at least one')
  // Relative to the first value, so that equal values have exactly their mean and an interval of 0.
  const offset = (value: number) => value - first
  const n = values.length
  const mean = first + values.reduce((sum, value) => sum + offset(value), 0) / n
  if (n === 1) return { mean }
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { mean, half: studentQuantile(0.975, n - 1) * Math.sqrt(squares / (n - 1) / n) }
}

/** The smallest and the largest value that a figure can have. They are infinite without a bound. */
export type Range = Interval

/** A mean with half the width of its 95% interval, or with both ends if it is not symmetric. */
export interface BoundedMean extends MeanInterval {
  readonly between?: Interval
}

/**
 * The mean of values in a range, with the interval of `meanInterval` if that stays in the range.
 * Otherwise the interval is symmetric on another scale: a t interval of logit((m − least)/(most −
 * least)), or of log(m − least) without an upper bound, with a standard error by the delta method.
 * In simulations with 3 to 8 seeds of beta and gamma distributions, this holds the true mean in 88%
 * to 95% of cases, and the symmetric interval alone in 82% to 95%.
 */
export function boundedMean(values: readonly number[], [least, most]: Range): BoundedMean {
  const { mean, half } = meanInterval(values)
  if (half === undefined || (mean - half >= least && mean + half <= most))
    return { mean, ...(half !== undefined && { half }) }
  const below = mean - least
  const above = most - mean
  // All values are equal to a bound, apart from rounding errors.
  if (!(below > 0 && above > 0))
    return { mean, between: [Math.max(least, mean - half), Math.min(most, mean + half)] }
  if (above === Infinity)
    return {
      mean,
      between: [least + below * Math.exp(-half / below), least + below * Math.exp(half / below)],
    }
  const shift = (half * (most - least)) / (below * above)
  const at = (odds: number) => least + (most - least) / (1 + 1 / odds)
  return { mean, between: [at((below / above) * Math.exp(-shift)), at((below / above) * Math.exp(shift))] }
}

/**
 * Wilson's score interval (1927) of the proportion of `successes` in n ≥ 1 trials. It is in [0, 1].
 */
export function wilsonInterval(successes: number, n: number): Interval {
  const z2 = NORMAL_QUANTILE ** 2
  const share = successes / n
  const centre = (share + z2 / (2 * n)) / (1 + z2 / n)
  const half = (NORMAL_QUANTILE / (1 + z2 / n)) * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n))
  // With 0 or n successes, one end is exact. Rounding errors would change it.
  return [successes === 0 ? 0 : centre - half, successes === n ? 1 : centre + half]
}

/**
 * The p quantile of Student's t distribution, for 1/2 ≤ p < 1 and ν > 0 degrees of freedom, which
 * need not be an integer (Welch). It is t² = ν y/(1 − y), where y solves I_y(½, ν/2) = 2p − 1 and
 * is found by bisection to the last bit.
 */
export function studentQuantile(p: number, degrees: number): number {
  if (!(p >= 0.5 && p < 1)) throw new RangeError(`a probability of ${p}; expected one from 0.5 to below 1`)
  if (!(degrees > 0 && Number.isFinite(degrees)))
    throw new RangeError(`${degrees} degrees of freedom; expected a number above 0`)
  let [low, high] = [0, 1]
  for (;;) {
    const y = (low + high) / 2
    if (y <= low || y >= high) return Math.sqrt((degrees * low) / (1 - low))
    if (incompleteBeta(y, 0.5, degrees / 2) < 2 * p - 1) low = y
    else high = y
  }
}

/**
 * P(T > t) for Student's t distribution with ν > 0 degrees of freedom. For t ≥ 0 it is
 * ½ I_y(ν/2, ½) with y = ν/(ν + t²).
 */
export function studentUpperTail(t: number, degrees: number): number {
  if (t === Infinity) return 0
  if (t < 0) return 1 - studentUpperTail(-t, degrees)
  // The factor t² alone may overflow where t² / ν does not.
  return incompleteBeta(1 / (1 + (t * t) / degrees), degrees / 2, 0.5) / 2
}

const SMALLEST = 1e-300
const PRECISION = 1e-16
const MOST_TERMS = 100_000

/**
 * I_x(a, b), the regularised incomplete beta function, by the continued fraction NIST DLMF 8.17.22
 * with Lentz's method.
 */
function incompleteBeta(x: number, a: number, b: number): number {
  // The fraction converges fast on this side of the mean. The identity I_x(a, b) = 1 − I_{1−x}(b,
  // a) gives the other side.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a)
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logBeta(a, b)) / a

  let c = 1
  let d = 1 / away(1 - ((a + b) * x) / (a + 1))
  let fraction = d
  for (let m = 1; m < MOST_TERMS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / away(1 + even * d)
    c = away(1 + even / c)
    fraction *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / away(1 + odd * d)
    c = away(1 + odd / c)
    const step = d * c
    fraction *= step
    if (Math.abs(step - 1) <= PRECISION) break
  }
  return front * fraction
}

/** The value, or a tiny one in place of 0, as Lentz's method requires. */
function away(value: number): number {
  return Math.abs(value) < SMALLEST ? SMALLEST : value
}

function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b)
}

const LANCZOS_G = 7
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]

/** log Γ(x) for x ≥ ½ to about 15 digits (Lanczos 1964, g = 7, nine terms). */
function logGamma(x: number): number {
  let sum = LANCZOS[0] ?? 0
  for (let i = 1; i < LANCZOS.length; i++) sum += (LANCZOS[i] ?? 0) / (x - 1 + i)
  const t = x + LANCZOS_G - 0.5
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum)
}
