import type { YieldControl } from '../yield-control.ts'
import type { Classifier } from './classifier.ts'
import { BLOCK, SvmArrays } from './svm-arrays.ts'

const C = 3
const GAMMA = 1
const TOLERANCE = 1e-3
const LEAST_CURVATURE = 1e-12
/** Kernel values that should be equal differ by rounding, by less than this factor. */
const ROUNDING = 1 + 1e-15
/** Iterations between two yields. One takes about 0.03 ms with 4,000 distinct scores. */
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
 * effect. The loops over all variables are in svm-kernels.wat.
 *
 * Throws a RangeError unless scores are finite and there is at least one of each class.
 */
export async function fitSvm(
  members: Float64Array,
  nonMembers: Float64Array,
  yieldControl: YieldControl = () => Promise.resolve(),
): Promise<Classifier> {
  if (members.length === 0 || nonMembers.length === 0)
    throw new RangeError('a support-vector classifier needs at least one member and one non-member')
  if (![members, nonMembers].every((scores) => scores.every(Number.isFinite)))
    throw new RangeError('a support-vector classifier needs finite scores')
  const groups = [...inBlocks(grouped(members, 1)), ...inBlocks(grouped(nonMembers, -1))]
  const low = Float64Array.from(groups, (group) => Math.min(0, group.y * C * group.count))
  const high = Float64Array.from(groups, (group) => Math.max(0, group.y * C * group.count))
  const beta = new Float64Array(groups.length)
  const arrays = new SvmArrays(
    Float64Array.from(groups, (group) => group.x),
    Float64Array.from(groups, (group) => group.y),
  )
  const { x, error, rise, fall, kernel } = arrays
  const setBeta = (t: number, value: number) => {
    beta[t] = value
    rise[t] = value < at(high, t) ? 0 : -Infinity
    fall[t] = value > at(low, t) ? 0 : Infinity
  }
  for (let t = 0; t < beta.length; t++) setBeta(t, 0)
  // A step of 0 changes no error.
  arrays.update(arrays.row(0), arrays.row(0), 0)

  for (let iteration = 1; ; iteration++) {
    if (iteration % YIELD_EVERY === 0) await yieldControl()
    const i = steepest(arrays)
    const greatest = at(error, i)
    const least = minimum(arrays.least)
    if (greatest - least < TOLERANCE)
      return decision(x, beta, intercept(error, beta, low, high, (greatest + least) / 2))

    const fromI = arrays.row(i)
    const j = bestPartner(arrays, i, fromI)
    const roomAbove = at(high, i) - at(beta, i)
    const roomBelow = at(beta, j) - at(low, j)
    const fullStep = (greatest - at(error, j)) / curvature(at(kernel, fromI + j))
    const step = Math.min(fullStep, roomAbove, roomBelow)
    // A bound is assigned exactly, so that rounding leaves no free variable next to it.
    setBeta(i, step === roomAbove ? at(high, i) : at(beta, i) + step)
    setBeta(j, step === roomBelow ? at(low, j) : at(beta, j) - step)
    arrays.update(fromI, arrays.row(j), step)
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

/** The groups of one class with empty groups at the end, whose β stays 0, in whole blocks. */
function inBlocks(groups: readonly Group[]): Group[] {
  const last = groups.slice(-1).map((group) => ({ ...group, count: 0 }))
  const missing = Math.ceil(groups.length / BLOCK) * BLOCK - groups.length
  return [...groups, ...Array.from({ length: missing }, () => last).flat()]
}

function kernel(a: number, b: number): number {
  return Math.exp(-GAMMA * (a - b) * (a - b))
}

/** The curvature K_ii + K_jj − 2 K_ij, which is 0 for equal scores. */
function curvature(kernelValue: number): number {
  return Math.max(2 - 2 * kernelValue, LEAST_CURVATURE)
}

/** The variable below its upper bound with the greatest error; the first of equal ones. */
function steepest({ error, rise, greatest }: SvmArrays): number {
  let block = 0
  for (let b = 1; b < greatest.length; b++) if (at(greatest, b) > at(greatest, block)) block = b
  let t = block * BLOCK
  while (at(error, t) + at(rise, t) < at(greatest, block)) t++
  return t
}

/**
 * The variable above its lower bound with which a step from i gains most; the first of equal ones.
 * A block of variables is skipped if its least error and its greatest kernel value, which is at the
 * end next to x_i, exclude a greater gain.
 */
function bestPartner({ x, error, fall, least, kernel }: SvmArrays, i: number, fromI: number): number {
  let best = -1
  let bestGain = 0
  for (let block = 0; block < least.length; block++) {
    const difference = at(error, i) - at(least, block)
    if (difference <= 0) continue
    const first = block * BLOCK
    const last = first + BLOCK - 1
    const isInside = at(x, first) <= at(x, i) && at(x, i) <= at(x, last)
    const nearest = Math.max(at(kernel, fromI + first), at(kernel, fromI + last))
    if (!isInside && gain(difference, nearest * ROUNDING) <= bestGain) continue
    for (let t = first; t <= last; t++) {
      const difference = at(error, i) - at(error, t)
      if (difference <= 0 || at(fall, t) > 0) continue
      const gainOfT = gain(difference, at(kernel, fromI + t))
      if (gainOfT > bestGain) {
        bestGain = gainOfT
        best = t
      }
    }
  }
  return best
}

/** The gain of the unbounded step between two variables, times 2. */
function gain(difference: number, kernelValue: number): number {
  return (difference * difference) / curvature(kernelValue)
}

function minimum(values: Float64Array): number {
  let least = Infinity
  for (const value of values) least = Math.min(least, value)
  return least
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
