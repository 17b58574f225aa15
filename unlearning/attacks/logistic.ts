import { MathError } from '../../common/errors.ts'
import type { Classifier } from './classifier.ts'

const SMALLEST_STEP = 1e-10
const MOST_STEPS = 100

/**
 * Logistic regression on one number, like scikit-learn's `LogisticRegression()` after a
 * `StandardScaler`. Scores are standardised by the mean and standard deviation of the training
 * samples, and Σ log(1 + exp(−y(w z + b))) + w²/2 is minimised (C = 1, no penalty on the intercept)
 * with Newton's method. The decision is w z + b.
 *
 * Scores must be finite, with at least one of each class. Throws a MathError without convergence.
 */
export function fitLogistic(members: Float64Array, nonMembers: Float64Array): Classifier {
  if (members.length === 0 || nonMembers.length === 0)
    throw new RangeError('logistic regression needs at least one member and one non-member')
  // Scores are sorted, so that the order of samples does not affect the sums.
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

/** The Newton step −H⁻¹∇ of the objective. The first `members` values of z are members. */
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
