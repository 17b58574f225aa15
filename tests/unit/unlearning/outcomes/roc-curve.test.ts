import { describe, expect, test } from 'vitest'
import { stream } from '../../../../learning/random.ts'
import { MOST_POINTS, rocCurve } from '../../../../unlearning/outcomes/roc-curve.ts'

/** The share of pairs in which the member is ranked above the non-member, ties counted half. */
function areaOverPairs(members: Float64Array, nonMembers: Float64Array): number {
  let sum = 0
  for (const member of members)
    for (const other of nonMembers) sum += member > other ? 1 : member === other ? 0.5 : 0
  return sum / (members.length * nonMembers.length)
}

/** The area below the points by the trapezoidal rule. */
function areaOfPoints(curve: ReturnType<typeof curveOf>): number {
  let sum = 0
  for (let i = 1; i < curve.falsePositives.length; i++) {
    const width = (curve.falsePositives[i] ?? NaN) - (curve.falsePositives[i - 1] ?? NaN)
    sum += (width * ((curve.truePositives[i] ?? NaN) + (curve.truePositives[i - 1] ?? NaN))) / 2
  }
  return sum / (curve.members * curve.nonMembers)
}

function curveOf(members: Float64Array, nonMembers: Float64Array, most?: number) {
  const curve = rocCurve(members, nonMembers, most)
  if ('missing' in curve) throw new Error(curve.missing)
  return curve
}

/** Normal scores, rounded so that some are equal. */
function drawn(size: number, mean: number, name: string): Float64Array {
  const random = stream(1, 'test', name)
  return Float64Array.from({ length: size }, () => Math.round(20 * (mean + random.normal())) / 20)
}

describe('the ROC curve', () => {
  const members = drawn(300, 0.7, 'members')
  const nonMembers = drawn(500, 0, 'others')

  test('has the area that a count over all pairs gives, in its figure and below its points', () => {
    const area = areaOverPairs(members, nonMembers)
    const curve = curveOf(members, nonMembers, Infinity)
    expect(curve.auc).toBeCloseTo(area, 12)
    expect(areaOfPoints(curve)).toBeCloseTo(area, 12)
    expect(area).toBeGreaterThan(0.6)
  })

  test('counts at each threshold the samples with a score of at least that', () => {
    const { thresholds, falsePositives, truePositives } = curveOf(members, nonMembers)
    expect(thresholds[0]).toBeNull()
    expect([falsePositives[0], truePositives[0]]).toEqual([0, 0])
    expect([falsePositives.at(-1), truePositives.at(-1)]).toEqual([500, 300])
    thresholds.slice(1).forEach((threshold, i) => {
      const above = (scores: Float64Array) => scores.filter((score) => score >= (threshold ?? NaN)).length
      expect([falsePositives[i + 1], truePositives[i + 1]]).toEqual([above(nonMembers), above(members)])
    })
  })

  test('of many samples has few points, which keep the rare false positives and the area', () => {
    const random = stream(2, 'test', 'many')
    const many = (mean: number) => Float64Array.from({ length: 20_000 }, () => mean + random.normal())
    const [inside, outside] = [many(1), many(0)]
    const curve = curveOf(inside, outside)
    expect(curve.falsePositives.length).toBeLessThanOrEqual(MOST_POINTS)
    expect(curve.falsePositives.length).toBeGreaterThan(MOST_POINTS / 2)
    expect(curve.falsePositives.filter((count) => count > 0 && count <= 20).length).toBeGreaterThan(8)
    expect(areaOfPoints(curve)).toBeCloseTo(curve.auc, 2)
    expect(curveOf(inside, outside)).toEqual(curve)
  })

  test('of equal scores is a line from corner to corner, and one without members is missing', () => {
    const { falsePositives, truePositives, auc } = curveOf(new Float64Array(3), new Float64Array(4))
    expect([falsePositives, truePositives, auc]).toEqual([[0, 4], [0, 3], 0.5])
    expect(rocCurve(new Float64Array(), nonMembers)).toEqual({ missing: 'there are no members' })
  })
})
