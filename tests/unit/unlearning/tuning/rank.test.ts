import { describe, expect, test } from 'vitest'
import { MathError } from '../../../../common/errors.ts'
import type { Measured } from '../../../../experiment/records/measured.ts'
import type { RankedVariant } from '../../../../experiment/stages/tune.ts'
import { ranked } from '../../../../unlearning/tuning/rank.ts'

/** Gaps in points. A text is the reason of a failure. */
const gapsOf = (...gaps: readonly (number | string)[]) =>
  gaps.map((gap): Measured => (typeof gap === 'number' ? { value: gap } : { missing: gap }))
const variants = (...gaps: readonly (readonly (number | string)[])[]) =>
  gaps.map((own, variant): RankedVariant => ({
    variant,
    method: { method: 'gradient-ascent', epochs: variant + 1, schedule: { name: 'constant' } },
    gaps: gapsOf(...own),
  }))
const order = (ranking: readonly RankedVariant[]) => ranking.map(({ variant }) => variant)

describe('the ranking of variants', () => {
  test.each<[string, readonly (number | string)[], readonly number[]]>([
    ['is by the gap', [3, 1, 2], [1, 2, 0]],
    ['keeps the order of equal variants', [2, 1, 1, 2], [1, 2, 0, 3]],
    ['has failed variants last', ['diverged', 9, 'diverged', 4], [3, 1, 0, 2]],
  ])('%s', (_, gaps, expected) => {
    const first = variants(...gaps.map(() => []))
    expect(order(ranked(first, gapsOf(...gaps)))).toEqual(expected)
  })

  test('of a later round is by the mean over all rounds, before those that did not go on', () => {
    // Variant 1 has the least gap in the second round, and variant 0 the least mean.
    const earlier = variants([1], [4], [5], [6])
    const ranking = ranked(earlier, gapsOf(2, 1.5))
    expect(order(ranking)).toEqual([0, 1, 2, 3])
    expect(ranking.map(({ gaps }) => gaps.length)).toEqual([2, 2, 1, 1])
    expect(order(ranked(earlier, gapsOf(9, 3)))).toEqual([1, 0, 2, 3])
    // The mean of variants that were tried on fewer seeds is not compared.
    expect(order(ranked(earlier, gapsOf(90, 80)))).toEqual([1, 0, 2, 3])
    expect(order(ranked(earlier, gapsOf('diverged', 80)))).toEqual([1, 2, 3, 0])
  })

  test('leaves the options of a variant as they are', () => {
    const given = variants([], [])
    const [best] = ranked(given, gapsOf(2, 1))
    expect(best?.method).toEqual(given[1]?.method)
  })

  test('has a reason if every variant failed', () => {
    expect(() => ranked(variants([], []), gapsOf('the loss is NaN', 'the loss is NaN'))).toThrow(
      new MathError('all 2 variants failed: the loss is NaN'),
    )
  })
})
