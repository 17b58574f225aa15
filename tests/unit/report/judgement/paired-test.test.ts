import fc from 'fast-check'
import { expect, test } from 'vitest'
import { studentQuantile, studentUpperTail } from '../../../../common/interval.ts'
import { holm, pairedTest } from '../../../../report/judgement/paired-test.ts'

/** Values of scipy.stats.t.sf, SciPy 1.17.1. */
test.each([
  [0, 3, 0.5],
  [1.5, 2, 0.13619656244550055],
  [2.353363434801823, 3, 0.05000000000000004],
  [-1.2, 7, 0.8654140315863967],
  [6, 4, 0.0019412685234802554],
  [40, 2, 0.0003122073360923703],
  [0.01, 1, 0.496817007235093],
  [1e10, 2, 5e-21],
])("the upper tail of Student's t at %d with %d degrees of freedom is %d", (t, degrees, expected) => {
  expect(Math.abs(studentUpperTail(t, degrees) / expected - 1)).toBeLessThan(1e-9)
})

test("the upper tail of Student's t is the inverse of its quantile", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.5, max: 0.999, noNaN: true }), fc.integer({ min: 1, max: 60 }), (p, n) => {
      expect(studentUpperTail(studentQuantile(p, n), n)).toBeCloseTo(1 - p, 10)
    }),
  )
})

const differences = [0.3, 1.1, -0.4, 0.9, 0.6, 0.2, 1.4, 0.1]

test('a paired test has the mean, the 90% interval and the one-sided p value of SciPy', () => {
  const { n, mean, interval90, p } = pairedTest(differences)
  expect(n).toBe(8)
  expect(mean).toBeCloseTo(0.525, 12)
  expect(p).toBeCloseTo(0.01997233618913186, 12)
  expect(interval90[0]).toBeCloseTo(0.1299354166437789, 10)
  expect(interval90[1]).toBeCloseTo(0.9200645833562211, 10)
})

test('figures of seeds that share models have a wider interval', () => {
  const { interval90, p } = pairedTest(differences, true)
  expect(p).toBeCloseTo(0.06456636095236738, 12)
  expect(interval90[0]).toBeCloseTo(-0.05331533357507712, 10)
  expect(interval90[1]).toBeCloseTo(1.103315333575077, 10)
})

test('equal differences are told from 0 exactly where they are above it', () => {
  expect(pairedTest([0.1, 0.1, 0.1])).toMatchObject({ p: 0, interval90: [0.1, 0.1] })
  expect(pairedTest([0, 0, 0])).toMatchObject({ p: 1 })
  expect(pairedTest([-0.1, -0.1])).toMatchObject({ p: 1 })
})

test('one difference cannot be tested', () => {
  expect(() => pairedTest([1])).toThrow(/at least two/)
})

test("Holm's adjustment is that of his step-down procedure", () => {
  expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02])
  expect(holm([0.5, 0.9])).toEqual([1, 1])
  expect(holm([])).toEqual([])
})

test('adjusted p values keep their order, and are no smaller and at most n times as large', () => {
  const ps = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(ps, (all) => {
      const adjusted = holm(all)
      all.forEach((p, i) => {
        expect(adjusted[i]).toBeGreaterThanOrEqual(p)
        expect(adjusted[i]).toBeLessThanOrEqual(Math.min(1, all.length * p) + 1e-12)
        all.forEach((other, j) => {
          if (p < other) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j] ?? NaN)
        })
      })
    }),
  )
})
