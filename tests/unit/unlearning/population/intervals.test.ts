import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { meanEstimate, studentQuantile, wilsonInterval } from '../../../../unlearning/population/intervals.ts'
import { expectClose, valueOf } from '../judged-models.ts'
import { expectInterval, intervalOf, vectors } from './vectors.ts'

describe('Student quantiles', () => {
  // SciPy's own differ from the exact ones by some 1e-11.
  it.each(vectors.intervals.studentQuantiles)('$degrees degrees of freedom, as SciPy', (expected) => {
    expectClose(studentQuantile(expected.degrees), expected.quantile, 1e-9)
  })

  it('are exact where there is a formula', () => {
    expectClose(studentQuantile(1), Math.tan(0.475 * Math.PI), 1e-13)
    expectClose(studentQuantile(2), 0.95 * Math.sqrt(2 / (4 * 0.975 * 0.025)), 1e-13)
  })

  it('fall towards the normal quantile as degrees of freedom grow', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.6, max: 1e5, noNaN: true }), (degrees) => {
        expect(studentQuantile(degrees)).toBeGreaterThan(studentQuantile(degrees * 1.1))
        expect(studentQuantile(degrees)).toBeGreaterThan(1.959963)
      }),
    )
  })
})

describe('the interval of a mean', () => {
  it.each(vectors.intervals.means)('$values.length values, as SciPy', ({ values, mean, interval }) => {
    const estimate = meanEstimate(values)
    expectClose(valueOf(estimate), mean)
    expectInterval(intervalOf(estimate), interval)
  })

  it('does not exist for one value, and no mean for none', () => {
    expect(meanEstimate([93.5])).toEqual({ value: 93.5 })
    expect(meanEstimate([])).toEqual({ missing: 'there are no values' })
    expect(meanEstimate([1, NaN])).toEqual({ missing: 'a value is not finite' })
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
