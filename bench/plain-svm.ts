import type { Classifier } from '../unlearning/attacks/classifier.ts'

const C = 3
const TOLERANCE = 1e-3

/**
 * The support-vector classifier of unlearning/attacks/svm.ts in plain form: whole kernel rows
 * with `Math.exp` and loops over all variables. The decisions are the same bits.
 */
export function fitPlainSvm(members: Float64Array, nonMembers: Float64Array): Classifier {
  const groups = [...grouped(members, 1), ...grouped(nonMembers, -1)]
  const low = Float64Array.from(groups, ({ y, count }) => Math.min(0, y * C * count))
  const high = Float64Array.from(groups, ({ y, count }) => Math.max(0, y * C * count))
  const x = Float64Array.from(groups, (group) => group.x)
  const error = Float64Array.from(groups, ({ y }) => y)
  const beta = new Float64Array(groups.length)
  const rows: (Float64Array | undefined)[] = []
  const row = (i: number) => (rows[i] ??= x.map((other) => kernel(at(x, i), other)))

  for (;;) {
    let i = -1
    for (let t = 0; t < x.length; t++)
      if (at(beta, t) < at(high, t) && (i < 0 || at(error, t) > at(error, i))) i = t
    const fromI = row(i)
    let j = -1
    let least = Infinity
    let bestGain = 0
    for (let t = 0; t < x.length; t++) {
      if (at(beta, t) <= at(low, t)) continue
      least = Math.min(least, at(error, t))
      const difference = at(error, i) - at(error, t)
      if (difference <= 0) continue
      const gain = (difference * difference) / curvature(at(fromI, t))
      if (gain <= bestGain) continue
      bestGain = gain
      j = t
    }
    if (at(error, i) - least < TOLERANCE) {
      const free = error.filter((_, t) => at(beta, t) > at(low, t) && at(beta, t) < at(high, t))
      const middle = (at(error, i) + least) / 2
      const b = free.length === 0 ? middle : free.reduce((sum, e) => sum + e, 0) / free.length
      return (score) =>
        beta.reduce((sum, weight, t) => (weight === 0 ? sum : sum + weight * kernel(score, at(x, t))), b)
    }

    const roomAbove = at(high, i) - at(beta, i)
    const roomBelow = at(beta, j) - at(low, j)
    const fullStep = (at(error, i) - at(error, j)) / curvature(at(fromI, j))
    const step = Math.min(fullStep, roomAbove, roomBelow)
    beta[i] = step === roomAbove ? at(high, i) : at(beta, i) + step
    beta[j] = step === roomBelow ? at(low, j) : at(beta, j) - step
    const fromJ = row(j)
    for (let t = 0; t < x.length; t++) error[t] = at(error, t) - step * (at(fromI, t) - at(fromJ, t))
  }
}

function grouped(scores: Float64Array, y: 1 | -1): { x: number; y: 1 | -1; count: number }[] {
  const counts = new Map<number, number>()
  for (const x of scores.toSorted()) counts.set(x, (counts.get(x) ?? 0) + 1)
  return Array.from(counts, ([x, count]) => ({ x, y, count }))
}

function kernel(a: number, b: number): number {
  return Math.exp(-(a - b) * (a - b))
}

function curvature(kernelValue: number): number {
  return Math.max(2 - 2 * kernelValue, 1e-12)
}

function at(array: Float64Array, i: number): number {
  return array[i] ?? 0
}
