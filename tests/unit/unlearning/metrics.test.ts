import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Measured } from '../../../experiment/records/measured.ts'
import { accuracy } from '../../../unlearning/metrics/accuracy.ts'
import { activationDistance } from '../../../unlearning/metrics/activation-distance.ts'
import { averageGap } from '../../../unlearning/metrics/average-gap.ts'
import { confidenceHistogram } from '../../../unlearning/metrics/confidence-histogram.ts'
import { jsDivergence } from '../../../unlearning/metrics/js-divergence.ts'
import { probabilities, rows } from '../../../unlearning/metrics/logits.ts'
import { tow } from '../../../unlearning/metrics/tow.ts'
import { zrf } from '../../../unlearning/metrics/zrf.ts'
import {
  brokenLogits,
  expectClose,
  logitsOf,
  noLogits,
  reference,
  reordered,
  toLogits,
  valueOf,
  type PlainLogits,
} from './evaluated-models.ts'

const vectors = reference('metrics.json') as {
  comparisons: {
    name: string
    unlearned: PlainLogits
    gold: PlainLogits
    accuracy: number
    histogram: number[]
    activationDistance: number
    jsDivergence: number
  }[]
  gaps: {
    unlearned: Record<'fa' | 'ra' | 'ta' | 'ua' | 'mia', number>
    gold: Record<'fa' | 'ra' | 'ta' | 'ua' | 'mia', number>
    averageGap: number
    tow: number
  }[]
}

const figure = (value: number): Measured => ({ value })
const figures = (values: Record<'fa' | 'ra' | 'ta' | 'ua' | 'mia', number>) => ({
  fa: figure(values.fa),
  ra: figure(values.ra),
  ta: figure(values.ta),
  ua: figure(values.ua),
  mia: figure(values.mia),
})

describe('against scikit-learn and SciPy', () => {
  it.each(vectors.comparisons)('$name', (expected) => {
    const unlearned = toLogits(expected.unlearned)
    const gold = toLogits(expected.gold)
    expectClose(valueOf(accuracy(unlearned)), expected.accuracy)
    expect(confidenceHistogram(unlearned)).toEqual(expected.histogram)
    expectClose(valueOf(activationDistance(unlearned, gold)), expected.activationDistance)
    expectClose(valueOf(jsDivergence(unlearned, gold)), expected.jsDivergence)
  })

  it.each(vectors.gaps)('a gap of $averageGap points', (expected) => {
    const [unlearned, gold] = [figures(expected.unlearned), figures(expected.gold)]
    expectClose(valueOf(averageGap(unlearned, gold)), expected.averageGap)
    expectClose(valueOf(tow(unlearned, gold)), expected.tow)
  })
})

describe('softmax', () => {
  it('gives each sample probabilities that add up to 1', () => {
    fc.assert(
      fc.property(logitsOf(1), ([logits]) => {
        if (!logits) return
        for (const row of rows(probabilities(logits), logits.classes)) {
          expect(row.every((p) => p >= 0 && p <= 1)).toBe(true)
          expectClose(
            row.reduce((sum, p) => sum + p, 0),
            1,
          )
        }
      }),
    )
  })

  it('keeps equal logits apart from great ones', () => {
    const p = probabilities(toLogits({ values: [1e30, 1e30, 0], labels: [0], classes: 3 }))
    expect([...p]).toEqual([0.5, 0.5, 0])
  })
})

describe('accuracy', () => {
  it('gives a tie to the lowest class, as NumPy does', () => {
    const logits = { values: [1, 1, 0, 0, 2, 2], classes: 3 }
    expect(accuracy(toLogits({ ...logits, labels: [0, 1] }))).toEqual({ value: 100 })
    expect(accuracy(toLogits({ ...logits, labels: [1, 2] }))).toEqual({ value: 0 })
  })
})

describe('confidence histogram', () => {
  it('counts every sample once', () => {
    fc.assert(
      fc.property(logitsOf(1), ([logits]) => {
        if (!logits) return
        const counts = confidenceHistogram(logits)
        expect(counts).toHaveLength(20)
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(logits.labels.length)
      }),
    )
  })
})

describe('JS divergence', () => {
  it('is symmetric, within [0, 1] and 0 to itself', () => {
    fc.assert(
      fc.property(logitsOf(2), ([a, b]) => {
        if (!a || !b) return
        const bits = valueOf(jsDivergence(a, b))
        expect(bits).toBeGreaterThanOrEqual(0)
        expect(bits).toBeLessThanOrEqual(1)
        expectClose(valueOf(jsDivergence(b, a)), bits)
        expect(jsDivergence(a, a)).toEqual({ value: 0 })
      }),
    )
  })

  it('compares both with their mean, and not the mean with them', () => {
    // p = (1, 0), q = (½, ½), m = (¾, ¼): KL(m ‖ p) would be infinite.
    const p = toLogits({ values: [2000, 0], labels: [0], classes: 2 })
    const q = toLogits({ values: [0, 0], labels: [0], classes: 2 })
    const expected = (Math.log2(4 / 3) + 0.5 * Math.log2(2 / 3) + 0.5 * Math.log2(2)) / 2
    expectClose(valueOf(jsDivergence(p, q)), expected)
  })

  it('averages over samples, not over classes', () => {
    const one = (classes: number, top: number) =>
      toLogits({
        values: Array.from({ length: classes }, (_, i) => (i === top ? 2000 : 0)),
        labels: [0],
        classes,
      })
    expect(jsDivergence(one(10, 0), one(10, 1))).toEqual({ value: 1 })
    const [a, b] = [one(10, 0), one(10, 1)]
    expect(jsDivergence(reordered(a, [0, 0, 0]), reordered(b, [0, 0, 0]))).toEqual({ value: 1 })
  })
})

describe('activation distance', () => {
  it('is symmetric, within [0, √2] and 0 to itself', () => {
    fc.assert(
      fc.property(logitsOf(2), ([a, b]) => {
        if (!a || !b) return
        const distance = valueOf(activationDistance(a, b))
        expect(distance).toBeGreaterThanOrEqual(0)
        expect(distance).toBeLessThanOrEqual(Math.SQRT2 + 1e-12)
        expectClose(valueOf(activationDistance(b, a)), distance)
        expect(activationDistance(a, a)).toEqual({ value: 0 })
      }),
    )
  })
})

describe('Avg. gap and ToW', () => {
  const percent = fc.double({ min: 0, max: 100, noNaN: true })
  const model = fc.record({ fa: percent, ra: percent, ta: percent, ua: percent, mia: percent }).map(figures)

  it('of gold to itself are 0 and 1', () => {
    fc.assert(
      fc.property(model, (gold) => {
        expect(averageGap(gold, gold)).toEqual({ value: 0 })
        expect(tow(gold, gold)).toEqual({ value: 1 })
      }),
    )
  })

  it('stay within [0, 100] and [0, 1] and do not care which model is gold', () => {
    fc.assert(
      fc.property(model, model, (a, b) => {
        const [gap, tug] = [valueOf(averageGap(a, b)), valueOf(tow(a, b))]
        expect(gap).toBeGreaterThanOrEqual(0)
        expect(gap).toBeLessThanOrEqual(100)
        expect(tug).toBeGreaterThanOrEqual(0)
        expect(tug).toBeLessThanOrEqual(1)
        expectClose(valueOf(averageGap(b, a)), gap)
        expectClose(valueOf(tow(b, a)), tug)
      }),
    )
  })

  it('are missing, with the reason, where one figure is', () => {
    const whole = figures({ fa: 1, ra: 2, ta: 3, ua: 99, mia: 4 })
    const torn = { ...whole, ta: { missing: 'the set is empty' } }
    expect(averageGap(torn, whole)).toEqual({ missing: 'TA: unlearned: the set is empty' })
    expect(averageGap(whole, torn)).toEqual({ missing: 'TA: gold: the set is empty' })
    expect(tow(torn, whole)).toEqual({ missing: 'TA: unlearned: the set is empty' })
  })
})

describe('every metric of logits', () => {
  it('does not depend on the order of samples', () => {
    const withOrder = logitsOf(2).chain((models) => {
      const places = Array.from(models[0]?.labels.keys() ?? [])
      return fc.tuple(
        fc.constant(models),
        fc.shuffledSubarray(places, { minLength: places.length, maxLength: places.length }),
      )
    })
    fc.assert(
      fc.property(withOrder, ([[a, b], order]) => {
        if (!a || !b) return
        const [c, d] = [reordered(a, order), reordered(b, order)]
        expect(accuracy(c)).toEqual(accuracy(a))
        expect(confidenceHistogram(c)).toEqual(confidenceHistogram(a))
        expectClose(valueOf(activationDistance(c, d)), valueOf(activationDistance(a, b)))
        expectClose(valueOf(jsDivergence(c, d)), valueOf(jsDivergence(a, b)))
        expectClose(valueOf(zrf(c, d)), valueOf(zrf(a, b)))
      }),
    )
  })

  it.each([
    ['an empty set', noLogits, 'the set is empty'],
    ['logits that are not finite', brokenLogits, 'the logits are not finite'],
  ])('is missing, never 0, for %s', (_, logits, missing) => {
    expect(accuracy(logits)).toEqual({ missing })
    expect(confidenceHistogram(logits)).toEqual([])
    expect(activationDistance(logits, logits)).toEqual({ missing })
    expect(jsDivergence(logits, logits)).toEqual({ missing })
  })

  it('says when it is gold whose logits are not finite', () => {
    const finite = toLogits({ values: [0, 0, 0, 1, 2, 3], labels: [0, 1], classes: 3 })
    expect(jsDivergence(finite, brokenLogits)).toEqual({ missing: 'gold: the logits are not finite' })
  })

  it('refuses to compare two models on different samples', () => {
    const a = toLogits({ values: [0, 1, 1, 0], labels: [0, 1], classes: 2 })
    expect(() => jsDivergence(a, reordered(a, [1, 0]))).toThrow(/different samples/)
    expect(() => activationDistance(a, reordered(a, [0]))).toThrow(/different samples/)
  })
})
