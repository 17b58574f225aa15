import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { agreement } from '../../../../unlearning/population/agreement.ts'
import { expectClose, reference, valueOf } from '../evaluated-models.ts'
import { anyOrder, phi } from './vectors.ts'

const { agreement: vectors } = reference('judges.json') as {
  agreement: {
    name: string
    own: number[]
    gold: number[]
    rank: number | null
    variance: number | null
  }[]
}
const of = (own: readonly number[], gold: readonly number[]) =>
  agreement(Float64Array.from(own), Float64Array.from(gold))

describe('the agreement of margins with gold', () => {
  it.each(vectors)('against SciPy and NumPy: $name', ({ own, gold, rank, variance }) => {
    const found = of(own, gold)
    expect(found.samples).toBe(own.length)
    for (const [figure, expected] of [
      [found.rank, rank],
      [found.variance, variance],
    ] as const)
      if (expected === null) expect(figure).toHaveProperty('missing')
      else expectClose(valueOf(figure), expected)
  })

  it('does not depend on the order of the samples, and the rank not on any increasing function', () => {
    const pairs = fc.array(fc.tuple(phi, phi), { minLength: 3, maxLength: 30 })
    fc.assert(
      fc.property(
        pairs.chain((all) => fc.tuple(fc.constant(all), anyOrder(all.length))),
        ([all, order]) => {
          const [own, gold] = [all.map(([a]) => a), all.map(([, b]) => b)]
          const found = of(own, gold)
          const moved = of(
            order.map((i) => own[i] ?? NaN),
            order.map((i) => gold[i] ?? NaN),
          )
          const cubed = of(
            own.map((value) => value ** 3),
            gold,
          )
          if ('missing' in found.rank) return
          expectClose(valueOf(moved.rank), found.rank.value)
          expectClose(valueOf(moved.variance), valueOf(found.variance))
          expectClose(valueOf(cubed.rank), found.rank.value)
          expect(Math.abs(found.rank.value)).toBeLessThanOrEqual(1)
        },
      ),
      { numRuns: 60 },
    )
  })

  it.each([
    ['an empty set', [], [], 'the set is empty'],
    ['one sample', [1], [2], 'one sample has no variance'],
    ['a margin that overflowed', [1, Infinity], [1, 2], 'a margin is not finite'],
    ['a margin of gold that overflowed', [1, 2], [NaN, 2], 'gold: a margin is not finite'],
  ])('is missing, never 0, for %s', (_, own, gold, missing) => {
    expect(of(own, gold)).toEqual({ samples: own.length, rank: { missing }, variance: { missing } })
  })

  it('refuses different samples', () => {
    expect(() => of([1, 2], [1, 2, 3])).toThrow(/2 samples, gold of 3/)
  })
})
