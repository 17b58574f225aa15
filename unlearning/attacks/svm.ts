import type { YieldControl } from '../yield-control.ts'
import type { Classifier } from './classifier.ts'

const C = 3
const GAMMA = 1
const TOLERANCE = 1e-3
const LEAST_CURVATURE = 1e-12
/** Iterations between two yields. One takes about 0.1 ms with 4,000 distinct scores. */
const YIELD_EVERY = 1000

/**
 * A support-vector classifier on one number: members +1, non-members −1, kernel exp(−γ(x − x′)²)
 * with γ = 1 and C = 3, like scikit-learn's `SVC(C=3, gamma='auto')`, which published unlearning
 * results use. It is implemented here because the npm libraries (libsvm-js, ml-svm) have had no
 * commit since 2018.
 *
 * Sequential minimal optimisation as in LIBSVM, with the working pair chosen by second-order
 * information (Fan, Chen and Lin 2005), until the violation is below 1e-3. β_t = y_t α_t lies
 * between 0 and ±C, and Σ β = 0. The decision is Σ β_t K(x, x_t) + b, and the error e_t = y_t − Σ_s
 * β_s K(x_t, x_s) is LIBSVM's −y_t ∇_t. Samples of one class with the same score share one β whose
 * bound is multiplied by their number. The problem is the same, and the order of samples has no
 * effect.
 *
 * Scores must be finite, with at least one of each class.
 */
export async function fitSvm(
  members: Float64Array,
  nonMembers: Float64Array,
  yieldControl: YieldControl = () => Promise.resolve(),
): Promise<Classifier> {
  if (members.length === 0 || nonMembers.length === 0)
    throw new RangeError('a support-vector classifier needs at least one member and one non-member')
  const groups = [...grouped(members, 1), ...grouped(nonMembers, -1)]
  const n = groups.length
  const x = Float64Array.from(groups, (group) => group.x)
  const low = Float64Array.from(groups, (group) => Math.min(0, group.y * C * group.count))
  const high = Float64Array.from(groups, (group) => Math.max(0, group.y * C * group.count))
  const beta = new Float64Array(n)
  const error = Float64Array.from(groups, (group) => group.y)

  const kernelRows: (Float64Array | undefined)[] = []
  const kernelRow = (i: number) => (kernelRows[i] ??= x.map((other) => kernel(at(x, i), other)))

  for (let iteration = 1; ; iteration++) {
    if (iteration % YIELD_EVERY === 0) await yieldControl()
    const i = steepest(error, beta, high)
    const fromI = kernelRow(i)
    const greatest = at(error, i)

    let j = -1
    let least = Infinity
    let bestGain = 0
    for (let t = 0; t < n; t++) {
      if (at(beta, t) <= at(low, t)) continue
      least = Math.min(least, at(error, t))
      const difference = greatest - at(error, t)
      if (difference <= 0) continue
      const gain = (difference * difference) / curvature(at(fromI, t))
      if (gain > bestGain) {
        bestGain = gain
        j = t
      }
    }
    if (greatest - least < TOLERANCE)
      return decision(x, beta, intercept(error, beta, low, high, (greatest + least) / 2))

    const fromJ = kernelRow(j)
    const roomAbove = at(high, i) - at(beta, i)
    const roomBelow = at(beta, j) - at(low, j)
    const step = Math.min((greatest - at(error, j)) / curvature(at(fromI, j)), roomAbove, roomBelow)
    // A bound is assigned exactly, so that rounding leaves no free variable next to it.
    beta[i] = step === roomAbove ? at(high, i) : at(beta, i) + step
    beta[j] = step === roomBelow ? at(low, j) : at(beta, j) - step
    for (let t = 0; t < n; t++) error[t] = at(error, t) - step * (at(fromI, t) - at(fromJ, t))
  }
}

interface Group {
  readonly x: number
  readonly y: 1 | -1
  readonly count: number
}

/** The distinct scores of one class, ascending, with their numbers of occurrences. */
function grouped(scores: Float64Array, y: 1 | -1): Group[] {
  const counts = new Map<number, number>()
  for (const x of scores.toSorted()) counts.set(x, (counts.get(x) ?? 0) + 1)
  return Array.from(counts, ([x, count]) => ({ x, y, count }))
}

function kernel(a: number, b: number): number {
  return Math.exp(-GAMMA * (a - b) * (a - b))
}

/** The curvature K_ii + K_jj − 2 K_ij, which is 0 for equal scores. */
function curvature(kernelValue: number): number {
  return Math.max(2 - 2 * kernelValue, LEAST_CURVATURE)
}

/** The variable below its upper bound with the greatest error; the first of equal ones. */
function steepest(error: Float64Array, beta: Float64Array, high: Float64Array): number {
  let best = -1
  for (let t = 0; t < error.length; t++)
    if (at(beta, t) < at(high, t) && (best < 0 || at(error, t) > at(error, best))) best = t
  return best
}

/**
 * The intercept b: the mean error of the variables between their bounds, or `middle` if there are
 * none.
 */
function intercept(
  error: Float64Array,
  beta: Float64Array,
  low: Float64Array,
  high: Float64Array,
  middle: number,
): number {
  const free = error.filter((_, t) => at(beta, t) > at(low, t) && at(beta, t) < at(high, t))
  return free.length === 0 ? middle : free.reduce((sum, e) => sum + e, 0) / free.length
}

function decision(x: Float64Array, beta: Float64Array, b: number): Classifier {
  const support = x.filter((_, t) => at(beta, t) !== 0)
  const weight = beta.filter((value) => value !== 0)
  return (score) => {
    let sum = b
    for (let t = 0; t < support.length; t++) sum += at(weight, t) * kernel(score, at(support, t))
    return sum
  }
}

function at(array: Float64Array, i: number): number {
  return array[i] ?? 0
}
