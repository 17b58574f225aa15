import { studentQuantile, studentUpperTail } from '../../common/interval.ts'

/** The test of the mean of paired differences, one for each seed. */
export interface PairedTest {
  /** Pairs, at least two. */
  readonly n: number
  readonly mean: number
  /** Two-sided 90% interval of the mean: its ends are those of two one-sided tests at 5%. */
  readonly interval90: readonly [low: number, high: number]
  /** One-sided p value of "the mean is not above 0". */
  readonly p: number
}

/**
 * Student's t test of paired differences. `correlated` is for figures whose seeds share models,
 * such as those of leave-one-out attacks. Their variance is multiplied by 1/n + 1/(n − 1)
 * instead of 1/n (Nadeau and Bengio 2003, "Inference for the generalization error"). Throws a
 * RangeError for fewer than two differences.
 */
export function pairedTest(differences: readonly number[], correlated = false): PairedTest {
  const n = differences.length
  if (n < 2) throw new RangeError(`${n} differences have no variance; expected at least two`)
  const [first = 0] = differences
  // Relative to the first, so that equal differences have a variance of exactly 0.
  const mean = first + differences.reduce((sum, value) => sum + (value - first), 0) / n
  const variance = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1)
  const error = Math.sqrt(variance * (correlated ? 1 / n + 1 / (n - 1) : 1 / n))
  if (error === 0) return { n, mean, interval90: [mean, mean], p: mean > 0 ? 0 : 1 }
  const half = studentQuantile(0.95, n - 1) * error
  return { n, mean, interval90: [mean - half, mean + half], p: studentUpperTail(mean / error, n - 1) }
}

/**
 * P values adjusted for multiple tests (Holm 1979), in the order given. If values of at most α are
 * called significant, the probability of rejecting any true hypothesis is at most α.
 */
export function holm(ps: readonly number[]): readonly number[] {
  const order = ps.map((_, i) => i).sort((a, b) => (ps[a] ?? 0) - (ps[b] ?? 0))
  const adjusted = new Array<number>(ps.length)
  let greatest = 0
  order.forEach((index, rank) => {
    greatest = Math.max(greatest, Math.min(1, (ps.length - rank) * (ps[index] ?? 1)))
    adjusted[index] = greatest
  })
  return adjusted
}
