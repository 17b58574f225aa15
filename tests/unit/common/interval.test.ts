import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { meanInterval, studentQuantile, wilsonInterval } from '../../../common/interval.ts'
import { stream } from '../../../learning/random.ts'

describe("quantiles of Student's t", () => {
  test.each([
    [1, 6.3138, 12.7062, 63.6567],
    [2, 2.92, 4.3027, 9.9248],
    [3, 2.3534, 3.1824, 5.8409],
    [4, 2.1318, 2.7764, 4.6041],
    [5, 2.015, 2.5706, 4.0321],
    [9, 1.8331, 2.2622, 3.2498],
    [10, 1.8125, 2.2281, 3.1693],
    [19, 1.7291, 2.093, 2.8609],
    [30, 1.6973, 2.0423, 2.75],
    [120, 1.6577, 1.9799, 2.6174],
  ])('of %i degrees of freedom are those of the tables', (degrees, p95, p975, p995) => {
    expect(studentQuantile(0.95, degrees)).toBeCloseTo(p95, 4)
    expect(studentQuantile(0.975, degrees)).toBeCloseTo(p975, 4)
    expect(studentQuantile(0.995, degrees)).toBeCloseTo(p995, 4)
  })

  test('of 1 and 2 degrees are their closed forms, to nine digits', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.5, max: 0.9999, noNaN: true }), (p) => {
        const x = 2 * p - 1
        const forms = [Math.tan((Math.PI / 2) * x), x * Math.sqrt(2 / (1 - x ** 2))]
        for (const [i, form] of forms.entries())
          expect(Math.abs(studentQuantile(p, i + 1) - form)).toBeLessThanOrEqual(1e-9 * (1 + form))
      }),
    )
  })

  test('leave the probability below them, by the integral of the density', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.55, max: 0.999, noNaN: true }),
        fc.integer({ min: 1, max: 60 }),
        (p, degrees) => {
          const angle = Math.atan(studentQuantile(p, degrees) / Math.sqrt(degrees))
          // With t = √ν tan θ the density is proportional to cos^(ν − 1) θ.
          const part = (upTo: number) => simpson((theta) => Math.cos(theta) ** (degrees - 1), upTo)
          expect(0.5 + part(angle) / (2 * part(Math.PI / 2))).toBeCloseTo(p, 7)
        },
      ),
    )
  })

  test.each([
    [0.975, 0],
    [0.975, NaN],
    [0.4, 3],
    [1, 3],
    [NaN, 3],
  ])('p = %d of %d degrees is refused', (p, degrees) => {
    expect(() => studentQuantile(p, degrees)).toThrow(RangeError)
  })
})

describe('the interval of a mean', () => {
  test('a worked example: s = 1, n = 3', () => {
    const { mean, half } = meanInterval([98, 99, 100])
    expect(mean).toBe(99)
    expect(half).toBeCloseTo(4.302652729749464 / Math.sqrt(3), 8)
  })

  test('one value has none, and no value has no mean', () => {
    expect(meanInterval([97.08])).toEqual({ mean: 97.08 })
    expect(() => meanInterval([])).toThrow(RangeError)
  })

  test('equal values are their own mean, exactly, and the interval is 0', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.integer({ min: 2, max: 20 }),
        (value, n) => {
          const { mean, half } = meanInterval(Array.from({ length: n }, () => value))
          expect(Math.abs(mean - value)).toBe(0)
          expect(half).toBe(0)
        },
      ),
    )
  })

  test('moves and stretches with the values, whatever their order', () => {
    const values = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 2, maxLength: 12 })
    fc.assert(
      fc.property(values, fc.double({ min: -5, max: 5, noNaN: true }), (list, factor) => {
        const before = meanInterval(list)
        const after = meanInterval(list.map((value) => 7 + factor * value).reverse())
        expect(after.mean).toBeCloseTo(7 + factor * before.mean, 8)
        expect(after.half).toBeCloseTo(Math.abs(factor) * (before.half ?? NaN), 8)
      }),
    )
  })

  test('holds the true mean in 95 of 100 samples', () => {
    const random = stream(1, 'interval')
    const held = Array.from({ length: 4000 }, () => {
      const { mean, half = 0 } = meanInterval(Array.from({ length: 4 }, () => random.normal()))
      return Math.abs(mean) <= half
    })
    expect(held.filter(Boolean).length / held.length).toBeCloseTo(0.95, 1.8)
  })
})

test("Wilson's interval: the worked examples of Newcombe (1998, Statistics in Medicine 17, 857-872, table I)", () => {
  const rounded = (successes: number, n: number) =>
    wilsonInterval(successes, n).map((bound) => Number(bound.toFixed(4)))
  expect(rounded(81, 263)).toEqual([0.2553, 0.3662])
  expect(rounded(15, 148)).toEqual([0.0624, 0.1605])
  expect(rounded(0, 20)).toEqual([0, 0.1611])
  expect(rounded(1, 29)).toEqual([0.0061, 0.1718])
})

/** ∫ f from 0. */
function simpson(f: (x: number) => number, upTo: number): number {
  const n = 2000
  const terms = Array.from({ length: n + 1 }, (_, i) => {
    const weight = i === 0 || i === n ? 1 : i % 2 === 1 ? 4 : 2
    return weight * f((upTo * i) / n)
  })
  return (terms.reduce((sum, term) => sum + term, 0) * upTo) / n / 3
}
