import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { zrf } from '../../../unlearning/metrics/zrf.ts'
import {
  brokenLogits,
  expectClose,
  logitsOf,
  noLogits,
  reference,
  toLogits,
  valueOf,
  type PlainLogits,
} from './evaluated-models.ts'

const { zrf: vectors } = reference('features.json') as {
  zrf: { name: string; unlearned: PlainLogits; twin: PlainLogits; zrf: number }[]
}

describe('zero retrain forgetting', () => {
  it.each(vectors)('against SciPy: $name', ({ unlearned, twin, zrf: expected }) => {
    expectClose(valueOf(zrf(toLogits(unlearned), toLogits(twin))), expected)
  })

  it('is within [0, 1], and 1 where the two say the same', () => {
    fc.assert(
      fc.property(logitsOf(2), ([model, twin]) => {
        if (!model || !twin) return
        const figure = valueOf(zrf(model, twin))
        expect(figure).toBeGreaterThanOrEqual(0)
        expect(figure).toBeLessThanOrEqual(1)
        expect(zrf(model, model)).toEqual({ value: 1 })
      }),
    )
  })

  it('is no cosine: a certain answer beside an even guess of two has 1/√2 of one', () => {
    const certain = toLogits({ values: [2000, 0], labels: [0], classes: 2 })
    const guess = toLogits({ values: [0, 0], labels: [0], classes: 2 })
    const js = (Math.log2(4 / 3) + 0.5 * Math.log2(2 / 3) + 0.5) / 2
    expectClose(valueOf(zrf(certain, guess)), 1 - js)
  })

  it('is missing, and says of whom, where there are no outputs', () => {
    const finite = toLogits({ values: [0, 0, 0, 1, 2, 3], labels: [0, 1], classes: 3 })
    expect(zrf(noLogits, noLogits)).toEqual({ missing: 'the set is empty' })
    expect(zrf(brokenLogits, finite)).toEqual({ missing: 'the logits are not finite' })
    expect(zrf(finite, brokenLogits)).toEqual({ missing: 'the untrained twin: the logits are not finite' })
  })
})
