/** A mean and half of its 95% interval, which one value alone does not have. */
export interface MeanInterval {
  readonly mean: number
  readonly half?: number
}

/**
 * The mean of independent, about normal values and its 95% interval, mean ± t₀.₉₇₅(n − 1) · s / √n with s² the unbiased
 * variance (Student 1908).
 */
export function meanInterval(values: readonly number[]): MeanInterval {
  const [first] = values
  if (first === undefined) throw new RangeError('no values have no mean; expected at least one')
  // From the first on: equal values have exactly their own mean, and an interval of 0.
  const offset = (value: number) => value - first
  const n = values.length
  const mean = first + values.reduce((sum, value) => sum + offset(value), 0) / n
  if (n === 1) return { mean }
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { mean, half: studentQuantile(0.975, n - 1) * Math.sqrt(squares / (n - 1) / n) }
}

/** The p quantile, p from 1/2 up to 1, of Student's t with a whole number of degrees of freedom, to the last few digits. */
export function studentQuantile(p: number, degrees: number): number {
  if (!(p >= 0.5 && p < 1)) throw new RangeError(`a probability of ${p}; expected one from 0.5 to below 1`)
  if (!Number.isInteger(degrees) || degrees < 1)
    throw new RangeError(`${degrees} degrees of freedom; expected a whole number from 1`)
  // P(|T| ≤ t) grows with the angle θ = atan(t / √degrees): halved until no number lies between.
  let [low, high] = [0, Math.PI / 2]
  for (;;) {
    const middle = (low + high) / 2
    if (middle <= low || middle >= high) return Math.sqrt(degrees) * Math.tan(low)
    if (central(middle, degrees) < 2 * p - 1) low = middle
    else high = middle
  }
}

/** P(|T| ≤ √degrees · tan θ), a finite sum for whole degrees of freedom (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4). */
function central(angle: number, degrees: number): number {
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)]
  const isOdd = degrees % 2 === 1
  let term = isOdd ? cosine : 1
  let sum = 0
  for (let k = isOdd ? 2 : 1; k < degrees; k += 2) {
    sum += term
    term *= (k / (k + 1)) * cosine ** 2
  }
  return isOdd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum
}
