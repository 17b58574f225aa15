import { expect, test } from 'vitest'
import type { AttackCurve } from '../../../../../experiment/records/outcomes.ts'
import {
  pointAtRate,
  pointOf,
  pointText,
  rateAt,
  thresholdText,
} from '../../../../../ui/web/views/run/tabs/threshold-point.ts'

const curve: AttackCurve = {
  ...{ members: 4, nonMembers: 20, auc: 0.7 },
  falsePositives: [0, 0, 2, 2, 9, 20],
  truePositives: [0, 1, 1, 2, 3, 4],
  thresholds: [null, 0.93, 0.5, 0.25, -1.5, -3],
}

test('a rate is shown at the first point that reaches it', () => {
  expect([0, 0.05, 0.1, 0.11, 0.45, 1].map((rate) => pointAtRate(curve, rate))).toEqual([0, 2, 2, 4, 4, 5])
  // A rounding error above 1 does not lead out of the curve.
  expect(pointAtRate(curve, 1.0001)).toBe(5)
})

test('the rate of a point leads to a point of this rate', () => {
  for (const point of curve.falsePositives.keys())
    expect(rateAt(curve, pointAtRate(curve, rateAt(curve, point)))).toBe(rateAt(curve, point))
  expect(rateAt(curve, 4)).toBe(0.45)
})

test('the first point has no threshold', () => {
  expect([0, 1, 4].map((point) => thresholdText(curve, point))).toEqual([
    'above all scores',
    '0.930',
    '−1.50',
  ])
})

test('the address leads to the same point of the curve, and to the same rate of another one', () => {
  for (const point of curve.falsePositives.keys()) expect(pointOf(curve, pointText(curve, point))).toBe(point)
  expect(pointText(curve, 3)).toBe('0.1~0.5')
  const other = { ...curve, truePositives: [0, 0, 1, 1, 2, 4] }
  expect(pointOf(other, pointText(curve, 3))).toBe(2)
  for (const text of [undefined, '', 'x~y', '-1~0', '2~1']) expect(pointOf(curve, text)).toBeUndefined()
})
