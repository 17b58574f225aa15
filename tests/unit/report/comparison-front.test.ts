import fc from 'fast-check'
import { expect, test } from 'vitest'
import { paretoFront, type Costed } from '../../../report/comparison/front.ts'

/** Small whole numbers make ties. */
const points = fc.array(fc.record({ cost: fc.nat(9), gap: fc.nat(9) }), { maxLength: 40 })

const dominates = (a: Costed, b: Costed) =>
  a.cost <= b.cost && a.gap <= b.gap && (a.cost < b.cost || a.gap < b.gap)

test('no point dominates a member of the Pareto front, and some member dominates every other point', () => {
  fc.assert(
    fc.property(points, (all) => {
      const front = paretoFront(all)
      for (const point of all) {
        if (front.includes(point)) expect(all.some((other) => dominates(other, point))).toBe(false)
        else expect(front.some((member) => dominates(member, point))).toBe(true)
      }
    }),
  )
})

test('the front goes from the cheapest to the closest', () => {
  fc.assert(
    fc.property(points, (all) => {
      const front = paretoFront(all)
      front.slice(1).forEach((point, i) => {
        expect(point.cost).toBeGreaterThanOrEqual(front[i]?.cost ?? Infinity)
        expect(point.gap).toBeLessThanOrEqual(front[i]?.gap ?? -Infinity)
      })
    }),
  )
})
