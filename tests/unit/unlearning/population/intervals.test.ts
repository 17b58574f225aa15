import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { boundedMean, meanInterval, studentQuantile, wilsonInterval } from '../../../../common/interval.ts'
import { stream } from '../../../../learning/random.ts'
import { expectClose } from '../evaluated-models.ts'
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

describe('the interval of a mean in a range', () => {
  it('is the symmetric one where that stays in the range', () => {
    expect(boundedMean([40, 50, 60], [0, 100])).toEqual(meanInterval([40, 50, 60]))
    expect(boundedMean([1], [0, 1])).toEqual({ mean: 1 })
    expect(boundedMean([-5, 5], [-Infinity, Infinity])).toEqual(meanInterval([-5, 5]))
  })

  it('never leaves the range, and holds the mean', () => {
    const ranges = fc.constantFrom([0, 100], [0, 1], [0, Infinity]) as fc.Arbitrary<[number, number]>
    const shares = fc.array(fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true })), {
      minLength: 2,
      maxLength: 8,
    })
    fc.assert(
      fc.property(ranges, shares, ([least, most], all) => {
        const values = all.map((share) => share * (most === Infinity ? 50 : most))
        const { mean, half, between } = boundedMean(values, [least, most])
        const [low, high] = between ?? [mean - (half ?? NaN), mean + (half ?? NaN)]
        expect(low).toBeGreaterThanOrEqual(least)
        expect(low).toBeLessThanOrEqual(mean)
        expect(high).toBeGreaterThanOrEqual(mean)
        expect(high).toBeLessThanOrEqual(most)
      }),
    )
  })

  it('holds the true mean of seeds near a bound more often than the symmetric interval', () => {
    // u^(1/9) with u uniform is beta(9, 1): its mean is 0.9, and 85% of three seeds have a
    // symmetric interval that leaves [0, 1].
    const random = stream(1, 'bounded-mean')
    const runs = 4000
    const held = { symmetric: 0, bounded: 0 }
    for (let run = 0; run < runs; run++) {
      const values = Array.from({ length: 3 }, () => random.uniform() ** (1 / 9))
      const plain = meanInterval(values)
      const { mean, half, between } = boundedMean(values, [0, 1])
      const [low, high] = between ?? [mean - (half ?? NaN), mean + (half ?? NaN)]
      held.symmetric += Math.abs(plain.mean - 0.9) <= (plain.half ?? NaN) ? 1 : 0
      held.bounded += low <= 0.9 && 0.9 <= high ? 1 : 0
    }
    expect(held.bounded).toBeGreaterThan(held.symmetric)
    expect(held.bounded / runs).toBeGreaterThan(0.9)
  })
})
