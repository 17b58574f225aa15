import { scoreNames, type ScoreName } from '../../../experiment/records/scores.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scores } from '../../../unlearning/attacks/scores.ts'
import {
  expectClose,
  logitsOf,
  reference,
  reordered,
  toLogits,
  type PlainLogits,
} from './evaluated-models.ts'

const vectors = reference('attacks.json') as {
  scores: { name: string; logits: PlainLogits; scores: Partial<Record<ScoreName, number[]>> }[]
}

describe('scores', () => {
  it.each(vectors.scores)('agree with SciPy: $name', ({ logits, scores: expected }) => {
    expect(Object.keys(expected).length).toBeGreaterThan(0)
    for (const name of scoreNames) {
      const values = expected[name]
      if (!values) continue
      const actual = scores[name](toLogits(logits))
      expect(actual).toHaveLength(values.length)
      values.forEach((value, i) => {
        expectClose(actual[i] ?? NaN, value, 1e-12)
      })
    }
  })

  it.each(scoreNames)('%s is finite for all finite logits', (name) => {
    fc.assert(
      fc.property(logitsOf(1), ([logits]) => {
        if (!logits) return
        for (const score of scores[name](logits)) expect(Number.isFinite(score)).toBe(true)
      }),
    )
  })

  it.each(['correctness', 'confidence', 'entropy', 'modified-entropy', 'loss'] as const)(
    '%s is at least 0 for all finite logits',
    (name) => {
      fc.assert(
        fc.property(logitsOf(1), ([logits]) => {
          if (!logits) return
          for (const score of scores[name](logits)) expect(score).toBeGreaterThanOrEqual(0)
        }),
      )
    },
  )

  // Published code wrote a whole column of modified entropies where one sample's was meant.
  it.each(scoreNames)('%s of a sample does not depend on the samples beside it', (name) => {
    fc.assert(
      fc.property(logitsOf(1, 2), ([logits]) => {
        if (!logits) return
        const together = scores[name](logits)
        const alone = Array.from(logits.labels.keys(), (i) => scores[name](reordered(logits, [i]))[0])
        expect([...together]).toEqual(alone)
      }),
    )
  })

  it('entropy needs no label and modified entropy does: a sure mistake has none of the one, much of the other', () => {
    const sure = { values: [30, 0, 0], classes: 3 }
    const of = (name: ScoreName, label: number) =>
      scores[name](toLogits({ ...sure, labels: [label] }))[0] ?? NaN
    expect(of('entropy', 0)).toBe(of('entropy', 1))
    expect(of('entropy', 1)).toBeLessThan(1e-9)
    expect(of('modified-entropy', 0)).toBeLessThan(1e-9)
    expect(of('modified-entropy', 1)).toBeGreaterThan(50)
  })
})
