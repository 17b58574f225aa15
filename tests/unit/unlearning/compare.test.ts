import { scoreNames, type ScoreName } from '../../../experiment/records/scores.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Measured } from '../../../experiment/records/measured.ts'
import type { StageMetrics } from '../../../experiment/stages/stage.ts'
import { compare, type EvaluatedModel } from '../../../unlearning/metrics/compare.ts'
import { brokenLogits, expectClose, noLogits, valueOf, withConfidence } from './evaluated-models.ts'

const right = 0.9
const wrong = 0.05

/** An attack with one efficacy; those of the other scores would show if they were read. */
function attack(efficacy: Measured): StageMetrics['attack'] {
  const others = { value: 1000 }
  const row = Object.fromEntries(scoreNames.map((score) => [score, others])) as Record<ScoreName, Measured>
  return {
    efficacy: { svm: { ...row, confidence: efficacy }, logistic: row },
    accuracy: { svm: row, logistic: row },
    members: 10,
    nonMembers: 10,
  }
}

/** Models that are right on the given numbers of 10 samples. */
function evaluated(
  correct: { retained: number; forget: number; test: number },
  efficacy: number,
): EvaluatedModel {
  const set = (count: number) =>
    withConfidence(Array.from({ length: 10 }, (_, i) => (i < count ? right : wrong)))
  return {
    logits: {
      retained: set(correct.retained),
      forget: set(correct.forget),
      validation: noLogits,
      attackTest: set(10),
      test: set(correct.test),
      forgottenTest: noLogits,
    },
    attack: attack({ value: efficacy }),
  }
}

/** An even guess for each of 10 samples. */
const twin = withConfidence(Array.from({ length: 10 }, () => 0.25))

describe('compare', () => {
  const gold = evaluated({ retained: 10, forget: 5, test: 8 }, 40)

  it('computes every figure of a model and its distances to gold', () => {
    const unlearned = evaluated({ retained: 9, forget: 8, test: 7 }, 10)
    const figures = compare(unlearned, gold, twin)
    expect(figures.ra).toEqual({ value: 90 })
    expect(figures.ta).toEqual({ value: 70 })
    expect(figures.ua).toEqual({ value: 20 })
    expect(figures.mia).toEqual({ value: 10 })
    // |ΔUA| 30, |ΔRA| 10, |ΔTA| 10, |ΔMIA| 30
    expectClose(valueOf(figures.averageGap), 20)
    expectClose(valueOf(figures.tow), 0.7 * 0.9 * 0.9)

    const apart = Math.hypot(right - wrong, ...[1, 2, 3].map(() => (right - wrong) / 3))
    expectClose(valueOf(figures.activationDistance.retained), 0.1 * apart, 1e-6)
    expectClose(valueOf(figures.activationDistance.forget), 0.3 * apart, 1e-6)
    expect(valueOf(figures.jsDivergence)).toBeGreaterThan(0)
    expect(valueOf(figures.zrf)).toBeGreaterThan(0)
    expect(valueOf(figures.zrf)).toBeLessThan(1)
    expect(figures.validationGap).toEqual({
      missing: 'no samples are set apart for validation (data.validation)',
    })
    const validation = withConfidence([right, wrong])
    const original = { ...gold.logits, validation }
    const beside = { ...unlearned, logits: { ...unlearned.logits, validation } }
    // FA is 80 and should be 30, since 3 of 10 have the right class. RA is 90 and was 100. The
    // validation accuracy stays.
    expectClose(valueOf(compare(beside, gold, twin, original).validationGap), (50 + 10 + 0) / 3)
  })

  it('finds gold at no distance from itself', () => {
    const count = fc.integer({ min: 0, max: 10 })
    fc.assert(
      fc.property(
        fc.record({ retained: count, forget: count, test: count }),
        fc.double({ min: 0, max: 100, noNaN: true }),
        (correct, efficacy) => {
          const model = evaluated(correct, efficacy)
          const figures = compare(model, model, twin)
          expect(figures.averageGap).toEqual({ value: 0 })
          expect(figures.tow).toEqual({ value: 1 })
          expect(figures.activationDistance).toEqual({ forget: { value: 0 }, retained: { value: 0 } })
          expect(figures.jsDivergence).toEqual({ value: 0 })
        },
      ),
    )
  })

  it('leaves a figure missing where what it needs is, and only there', () => {
    const unlearned = { ...gold, attack: attack({ missing: 'retained: the set is empty' }) }
    const figures = compare(unlearned, gold, twin)
    expect(figures.mia).toEqual({ missing: 'retained: the set is empty' })
    expect(figures.averageGap).toEqual({ missing: 'MIA: unlearned: retained: the set is empty' })
    expect(figures.tow).toEqual({ value: 1 })
  })

  it('leaves the figures of a diverged model missing', () => {
    const { logits } = gold
    const broken = { ...logits, forget: brokenLogits }
    const golds = { ...logits, forget: { ...brokenLogits, values: new Float32Array(6) } }
    const figures = compare({ ...gold, logits: broken }, { ...gold, logits: golds }, twin)
    expect(figures.ua).toEqual({ missing: 'FA: the logits are not finite' })
    expect(figures.jsDivergence).toEqual({ missing: 'the logits are not finite' })
    expect(figures.tow).toEqual({ missing: 'FA: unlearned: the logits are not finite' })
    expect(figures.ra).toEqual({ value: 100 })
  })
})
