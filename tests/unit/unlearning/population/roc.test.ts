import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { auc, tprAtFpr } from '../../../../unlearning/population/roc.ts'
import { expectClose, valueOf } from '../evaluated-models.ts'
import { expectInterval, intervalOf, vectors } from './vectors.ts'

const array = (values: readonly number[]) => Float64Array.from(values)

describe('against scikit-learn and SciPy', () => {
  it.each(vectors.rocs)('$name', ({ members, nonMembers, auc: area, interval, rates }) => {
    const estimate = auc(array(members), array(nonMembers))
    expectClose(valueOf(estimate), area, 1e-12)
    expectInterval(intervalOf(estimate), interval)
    for (const rate of rates) {
      const tpr = tprAtFpr(array(members), array(nonMembers), rate.fpr, 5)
      expectClose(valueOf(tpr), rate.tpr, 1e-12)
      expectInterval(intervalOf(tpr), rate.interval)
    }
  })
})

// In thousandths, so that a transform cannot bring two of them together by rounding.
const score = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.integer({ min: -50_000, max: 50_000 }).map((thousandths) => thousandths / 1000),
)
const scores = fc.array(score, { minLength: 1, maxLength: 40 }).map(array)

describe('AUC', () => {
  it('is 1 less itself when members and non-members swap, and so are the ends of its interval', () => {
    fc.assert(
      fc.property(scores, scores, (a, b) => {
        const [there, back] = [auc(a, b), auc(b, a)]
        expectClose(valueOf(back), 1 - valueOf(there))
        const [low, high] = intervalOf(there)
        expectInterval(intervalOf(back), [1 - high, 1 - low], 1e-7)
      }),
    )
  })

  it('does not change under a monotone transform, nor with the order of samples', () => {
    fc.assert(
      fc.property(scores, scores, (a, b) => {
        const transform = (value: number) => value ** 3 + value - 7
        expect(auc(a.map(transform), b.map(transform))).toEqual(auc(a, b))
        expectClose(valueOf(auc(a.toReversed(), b.toSorted())), valueOf(auc(a, b)))
      }),
    )
  })

  it('lies within its interval, which lies within [0, 1] and is never a point', () => {
    fc.assert(
      fc.property(scores, scores, (a, b) => {
        const estimate = auc(a, b)
        const [low, high] = intervalOf(estimate)
        expect(low).toBeGreaterThanOrEqual(0)
        expect(low).toBeLessThanOrEqual(valueOf(estimate))
        expect(high).toBeGreaterThanOrEqual(valueOf(estimate))
        expect(high).toBeLessThanOrEqual(1)
        expect(high).toBeGreaterThan(low)
      }),
    )
  })

  it('counts a tie half', () => {
    expect(auc(array([1]), array([1]))).toHaveProperty('value', 0.5)
    expect(auc(array([1, 2]), array([1]))).toHaveProperty('value', 0.75)
  })
})

describe('TPR at a false-positive rate', () => {
  const many = (n: number) => Float64Array.from({ length: n }, (_, i) => i / n)

  it('is missing where non-members are too few to find the threshold', () => {
    expect(tprAtFpr(many(10), many(999), 0.01)).toEqual({
      missing: 'a false-positive rate of 1% needs 1000 non-members, and there are 999',
    })
    expect(tprAtFpr(many(10), many(1000), 0.01)).toHaveProperty('value')
    expect(tprAtFpr(many(10), many(9999), 0.001)).toEqual({
      missing: 'a false-positive rate of 0.1% needs 10000 non-members, and there are 9999',
    })
    expect(tprAtFpr(many(10), many(10_000), 0.001)).toHaveProperty('value')
  })

  it('lets no more non-members through than it says', () => {
    const nonMember = fc
      .array(fc.integer({ min: 0, max: 60 }), { minLength: 1000, maxLength: 1100 })
      .map(array)
    fc.assert(
      fc.property(nonMember, (others) => {
        // The non-members themselves as members: their rate is the false-positive rate.
        expect(valueOf(tprAtFpr(others, others, 0.01))).toBeLessThanOrEqual(0.01)
        expect(
          tprAtFpr(
            others.map((value) => value + 61),
            others,
            0.01,
          ),
        ).toHaveProperty('value', 1)
      }),
      { numRuns: 30 },
    )
  })

  it('is 0, and not missing, where non-members tie at the top', () => {
    const others = Float64Array.from({ length: 1000 }, (_, i) => (i < 20 ? 9 : 0))
    expect(tprAtFpr(array([9, 8]), others, 0.01)).toHaveProperty('value', 0)
  })
})

it.each([
  ['no members', [], [1], 'there are no members'],
  ['no non-members', [1], [], 'there are no non-members'],
  ['a NaN among members', [NaN], [1], 'a score is not finite'],
  ['an infinity among non-members', [1], [Infinity], 'a score is not finite'],
])('a ROC of %s is missing, never 0', (_, members, nonMembers, missing) => {
  expect(auc(array(members), array(nonMembers))).toEqual({ missing })
  expect(tprAtFpr(array(members), array(nonMembers), 0.01)).toEqual({ missing })
})
