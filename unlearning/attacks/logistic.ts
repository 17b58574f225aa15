import { MathError } from '../../common/errors.ts'
import type { Classifier } from './classifier.ts'

const SMALLEST_STEP = 1e-10
const MOST_STEPS = 100

/**
 * Logistic regression on one number, as scikit-learn's `LogisticRegression()` behind a `StandardScaler`: scores are
 * standardised by the training samples' mean and standard deviation, and Σ log(1 + exp(−y(w z + b))) + w²/2 is minimised
 * (C = 1, the intercept free), here by Newton's method to convergence. The decision is w z + b.
 *
 * Scores are finite and there is at least one of each class.
 */
export function fitLogistic(members: Float64Array, nonMembers: Float64Array): Classifier {
  if (members.length === 0 || nonMembers.length === 0)
    throw new RangeError('logistic regression needs at least one member and one non-member')
  // Sorted, so that the order of samples does not reach the sums.
  const scores = Float64Array.from([...members.toSorted(), ...nonMembers.toSorted()])
  const mean = average(scores)
  const deviation = Math.sqrt(average(scores.map((score) => (score - mean) ** 2))) || 1
  const standardise = (score: number) => (score - mean) / deviation

  const z = scores.map(standardise)
  let w = 0
  let b = 0
  for (let steps = 0; steps < MOST_STEPS; steps++) {
    const step = newtonStep(w, b, z, members.length)
    w += step.w
    b += step.b
    if (Math.hypot(step.w, step.b) < SMALLEST_STEP) return (score) => w * standardise(score) + b
  }
  throw new MathError(`logistic regression did not converge in ${MOST_STEPS} Newton steps`)
}

/** −H⁻¹∇ of the objective; the first `members` of z are members. */
function newtonStep(w: number, b: number, z: Float64Array, members: number): { w: number; b: number } {
  let gradientW = w
  let gradientB = 0
  let ww = 1
  let wb = 0
  let bb = 0
  z.forEach((value, i) => {
    const p = 1 / (1 + Math.exp(-(w * value + b)))
    const surplus = p - (i < members ? 1 : 0)
    gradientW += surplus * value
    gradientB += surplus
    const curvature = p * (1 - p)
    ww += curvature * value * value
    wb += curvature * value
    bb += curvature
  })
  const determinant = ww * bb - wb * wb
  return {
    w: (wb * gradientB - bb * gradientW) / determinant,
    b: (wb * gradientW - ww * gradientB) / determinant,
  }
}

function average(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
