import { NORMAL_QUANTILE, wilsonInterval, type Interval } from '../../common/interval.ts'
import type { Estimate } from '../../experiment/records/measured.ts'
import { moments } from './moments.ts'
import { countAtMost, countBelow } from './sorted.ts'

/**
 * At a false-positive rate r, this many non-members must lie above the threshold, so n ≥ 10/r are
 * needed.
 */
const LEAST_FALSE_POSITIVES = 10

/**
 * The area under the ROC curve of an attack's scores, in [0, 1]: the probability that a member's
 * score is above a non-member's, with ties counted half (midranks). Chance is 0.5.
 *
 * The 95% interval is DeLong's (DeLong et al. 1988), clipped to [0, 1]. If DeLong's variance is 0
 * or undefined (one member, one non-member, separable scores or equal scores), it is the score
 * interval of Hanley and McNeil's (1982) variance, {θ: |AUC − θ| ≤ 1.96 √V(θ)}, which has a
 * positive width in these cases (Newcombe 2006).
 */
export function auc(members: Float64Array, nonMembers: Float64Array): Estimate {
  const missing = unusable(members, nonMembers)
  if (missing !== undefined) return { missing }
  const [m, n] = [members.length, nonMembers.length]
  const above = placements(members, nonMembers)
  const value = above.reduce((sum, count) => sum + count, 0) / (m * n)

  const below = placements(nonMembers, members)
  const spread = (counts: Float64Array, of: number) =>
    moments(counts.map((count) => count / of)).variance / counts.length
  const variance = spread(above, n) + spread(below, m)
  if (!(variance > 0)) return { value, interval: scoreInterval(value, m, n) }
  const half = NORMAL_QUANTILE * Math.sqrt(variance)
  return { value, interval: [Math.max(0, value - half), Math.min(1, value + half)] }
}

/**
 * The true-positive rate, in [0, 1], at the lowest threshold whose false-positive rate is at most
 * `fpr` (Carlini et al. 2022). Chance is `fpr`. By default it is missing with fewer than 10/fpr
 * non-members (1,000 for 1%, 10,000 for 0.1%), since the threshold would then depend on too few of
 * them.
 *
 * The 95% interval is Wilson's for the members at the given threshold. It does not include the
 * uncertainty of the threshold.
 */
export function tprAtFpr(
  members: Float64Array,
  nonMembers: Float64Array,
  fpr: number,
  least = LEAST_FALSE_POSITIVES,
): Estimate {
  const missing = unusable(members, nonMembers)
  if (missing !== undefined) return { missing }
  const [m, n] = [members.length, nonMembers.length]
  const needed = Math.ceil(least / fpr - 1e-9)
  if (n < needed)
    return {
      missing: `a false-positive rate of ${100 * fpr}% needs ${needed} non-members, and there are ${n}`,
    }
  const sorted = nonMembers.toSorted()
  // The largest number of false positives within the rate. 1e-9 absorbs the rounding of fpr · n.
  const allowed = Math.floor(fpr * n + 1e-9)
  const threshold = allowed < n ? (sorted[n - 1 - allowed] ?? NaN) : -Infinity
  const hits = m - countAtMost(members.toSorted(), threshold)
  return { value: hits / m, interval: wilsonInterval(hits, m) }
}

function unusable(members: Float64Array, nonMembers: Float64Array): string | undefined {
  if (members.length === 0) return 'there are no members'
  if (nonMembers.length === 0) return 'there are no non-members'
  if (!members.every(Number.isFinite) || !nonMembers.every(Number.isFinite)) return 'a score is not finite'
  return undefined
}

/** For each score, the number of other scores below it, with equal ones counted half. */
function placements(scores: Float64Array, others: Float64Array): Float64Array {
  const sorted = others.toSorted()
  return scores.map((score) => (countBelow(sorted, score) + countAtMost(sorted, score)) / 2)
}

/**
 * Both ends of |AUC − θ| = 1.96 √V(θ), with Hanley and McNeil's V for m members and n non-members.
 */
function scoreInterval(value: number, m: number, n: number): Interval {
  const deviation = (theta: number) => {
    const ofMembers = (m - 1) * (theta / (2 - theta) - theta ** 2)
    const ofNonMembers = (n - 1) * ((2 * theta ** 2) / (1 + theta) - theta ** 2)
    return Math.sqrt(Math.max(0, theta * (1 - theta) + ofMembers + ofNonMembers) / (m * n))
  }
  const within = (theta: number) => Math.abs(value - theta) <= NORMAL_QUANTILE * deviation(theta)
  return [value === 0 ? 0 : edge(0, value, within), value === 1 ? 1 : edge(1, value, within)]
}

/**
 * The point between `outside` and `inside` from which `within` holds, by bisection to the last bit.
 */
function edge(outside: number, inside: number, within: (theta: number) => boolean): number {
  for (;;) {
    const middle = (outside + inside) / 2
    if (middle === outside || middle === inside) return inside
    if (within(middle)) inside = middle
    else outside = middle
  }
}
