import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { meanInterval, studentQuantile, wilsonInterval } from '../../../../experiment/interval.ts'
import { expectClose } from '../judged-models.ts'
import { expectInterval, vectors } from './vectors.ts'

describe('Student quantiles', () => {
  // SciPy's own differ from the exact ones by some 1e-11.
  it.each(vectors.intervals.studentQuantiles)('$degrees degrees of freedom, as SciPy', (expected) => {
    expectClose(studentQuantile(0.975, expected.degrees), expected.quantile, 1e-9)
  })

  it('are exact where there is a formula', () => {
    expectClose(studentQuantile(0.975, 1), Math.tan(0.475 * Math.PI), 1e-13)
    expectClose(studentQuantile(0.975, 2), 0.95 * Math.sqrt(2 / (4 * 0.975 * 0.025)), 1e-13)
  })

  it('fall towards the normal quantile as degrees of freedom grow', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.6, max: 1e5, noNaN: true }), (degrees) => {
        expect(studentQuantile(0.975, degrees)).toBeGreaterThan(studentQuantile(0.975, degrees * 1.1))
        expect(studentQuantile(0.975, degrees)).toBeGreaterThan(1.959963)
      }),
    )
  })
})

describe('the interval of a mean', () => {
  it.each(vectors.intervals.means)('$values.length values, as SciPy', (expected) => {
    const { mean, half = NaN } = meanInterval(expected.values)
    expectClose(mean, expected.mean)
    expectInterval([mean - half, mean + half], expected.interval)
  })
})

describe("Wilson's interval", () => {
  it.each(vectors.intervals.wilson)('$successes of $n, as SciPy', ({ successes, n, interval }) => {
    expectInterval(wilsonInterval(successes, n), interval)
  })

  it('holds the proportion and stays within [0, 1]', () => {
    const counts = fc.integer({ min: 1, max: 10_000 }).chain((n) => fc.tuple(fc.nat(n), fc.constant(n)))
    fc.assert(
      fc.property(counts, ([successes, n]) => {
        const [low, high] = wilsonInterval(successes, n)
        expect(low).toBeGreaterThanOrEqual(0)
        expect(low).toBeLessThanOrEqual(successes / n)
        expect(high).toBeGreaterThanOrEqual(successes / n)
        expect(high).toBeLessThanOrEqual(1)
      }),
    )
  })
})
