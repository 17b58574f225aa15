import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkOracle, differenceInterval } from '../../../report/oracle.ts'
import { sampleInput, withoutStages } from './fixtures.ts'

const random = { kind: 'random', fraction: 0.1 } as const

describe('the oracle check', () => {
  test('of a class split passes where gold is wrong on every forget sample, and nowhere else', () => {
    expect(checkOracle(sampleInput()).passed).toBe(true)
    expect(checkOracle(sampleInput({ models: { retrain: { fa: 0.79 } } })).passed).toBe(false)
  })

  test('of a random split passes where FA and TA agree within chance, and fails beyond it on either side', () => {
    const passed = (fa: number, ta: number) =>
      checkOracle(sampleInput({ split: random, models: { retrain: { fa, ta } } })).passed
    expect(passed(96.03, 97.08)).toBe(true)
    expect(passed(97.08, 97.08)).toBe(true)
    expect(passed(100, 94)).toBe(false) // knows its forget samples better than test samples
    expect(passed(85, 97.08)).toBe(false)
    expect(passed(0, 97.08)).toBe(false)
  })

  test.each([
    { kind: 'class-fraction' as const, classes: [3], fraction: 0.5 },
    { kind: 'indices' as const, indices: [1, 2] },
    { kind: 'hard' as const, by: 'highest-loss' as const, count: 5 },
  ])('is undecided for a split by $kind: forget samples are not like test samples', (split) => {
    const { passed, message } = checkOracle(sampleInput({ split, models: { retrain: { fa: 81.5 } } }))
    expect(passed).toBeUndefined()
    expect(message).toContain('FA of gold is 81.50%, and nothing says what it has to be for samples')
  })

  test('is undecided, with the reason, where gold was not evaluated', () => {
    const all = sampleInput()
    const { evaluate } = all.run.plan.reference
    const input = withoutStages(all, [evaluate], [{ title: 'evaluate retrain', reason: 'out of memory' }])
    const { passed, message } = checkOracle(input)
    expect(passed).toBeUndefined()
    expect(message).toContain('evaluate retrain failed: out of memory')
  })
})

describe('the interval of a difference', () => {
  test('the worked example of Newcombe (1998, Statistics in Medicine 17, 873-890, table II)', () => {
    const [low, high] = differenceInterval({ share: 56 / 70, n: 70 }, { share: 48 / 80, n: 80 })
    expect(low).toBeCloseTo(0.0524, 4)
    expect(high).toBeCloseTo(0.3339, 4)
  })

  test('holds the difference, and turns about when its sides are swapped', () => {
    const proportion = fc
      .record({ n: fc.integer({ min: 1, max: 10_000 }), part: fc.double({ min: 0, max: 1, noNaN: true }) })
      .map(({ n, part }) => ({ n, share: Math.round(part * n) / n }))
    fc.assert(
      fc.property(proportion, proportion, (a, b) => {
        const [low, high] = differenceInterval(a, b)
        const [mirroredLow, mirroredHigh] = differenceInterval(b, a)
        expect(low).toBeLessThanOrEqual(a.share - b.share)
        expect(high).toBeGreaterThanOrEqual(a.share - b.share)
        expect(mirroredLow).toBeCloseTo(-high, 12)
        expect(mirroredHigh).toBeCloseTo(-low, 12)
      }),
    )
  })
})
