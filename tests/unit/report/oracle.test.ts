import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkOracle, differenceInterval } from '../../../report/oracle.ts'
import type { SplitSpec } from '../../../experiment/spec/split.ts'
import { sampleInput, withManifest, withoutStages } from './fixtures.ts'

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

  test('is undecided for a hard split: forget samples are not like test samples', () => {
    const split = { kind: 'hard' as const, by: 'highest-loss' as const, count: 5 }
    const { passed, message } = checkOracle(sampleInput({ split, models: { retrain: { fa: 81.5 } } }))
    expect(passed).toBeUndefined()
    expect(message).toContain('FA of gold is 81.50%, and nothing says what it has to be for samples')
  })

  /** The check of gold with accuracies on the forget set and on test samples of its classes. */
  const checked = (split: SplitSpec, fa: number, matched: number | undefined) => {
    const input = sampleInput({ split, models: { retrain: { fa } } })
    const { reference } = input.run.plan
    if (!reference || matched === undefined) return checkOracle(input)
    const found = { accuracy: { value: matched }, samples: 240 }
    return checkOracle(
      withManifest<'evaluate'>(input, reference.evaluate, (one) => ({
        ...one,
        metrics: { ...one.metrics, matched: found },
      })),
    )
  }

  test.each<[SplitSpec, number, number | undefined, boolean | undefined]>([
    [{ kind: 'class-fraction', classes: [3], fraction: 0.5 }, 95, 96, true],
    [{ kind: 'class-fraction', classes: [3], fraction: 0.5 }, 100, 90, false],
    [{ kind: 'class-fraction', classes: [3], fraction: 0.5 }, 70, 90, false],
    [{ kind: 'indices', indices: [1, 2] }, 95, 96, true],
    // Listed samples may be hard, so that a lower accuracy is no sign of anything.
    [{ kind: 'names', file: 'forget.txt', indices: [1, 2] }, 40, 96, true],
    [{ kind: 'names', file: 'forget.txt', indices: [1, 2] }, 100, 80, undefined],
    // An evaluation of an earlier version lacks the figure.
    [{ kind: 'indices', indices: [1, 2] }, 95, undefined, undefined],
  ])(
    'compares forget samples with test samples of their classes: %o, FA %d against %s',
    (split, fa, matched, passed) => {
      const check = checked(split, fa, matched)
      expect(check.passed).toBe(passed)
      expect(check.message).toContain(`FA of gold is ${fa.toFixed(2)}%`)
    },
  )

  test('is undecided, with the reason, where gold was not evaluated', () => {
    const all = sampleInput()
    const input = withoutStages(
      all,
      [all.run.plan.reference?.evaluate],
      [{ title: 'evaluate retrain', reason: 'out of memory' }],
    )
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
