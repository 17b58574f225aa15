import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { trueLogProbabilities } from '../../../../unlearning/metrics/logits.ts'
import { logProbabilityOf, margins } from '../../../../unlearning/population/margin.ts'
import { brokenLogits, expectClose, logitsOf, noLogits, toLogits } from '../evaluated-models.ts'
import { expectAllClose, vectors } from './vectors.ts'

describe('against SciPy', () => {
  it.each(vectors.margins)('$name', (expected) => {
    const phi = margins(toLogits(expected.logits))
    expectAllClose(phi, expected.margins, 1e-12)
    expectAllClose(phi.map(logProbabilityOf), expected.logProbabilities, 1e-12)
  })
})

describe('φ', () => {
  it('is finite for finite logits and holds the true class’s probability', () => {
    fc.assert(
      fc.property(logitsOf(1), ([logits]) => {
        if (!logits) return
        const logs = trueLogProbabilities(logits)
        margins(logits).forEach((phi, i) => {
          expect(phi).toSatisfy(Number.isFinite)
          expectClose(logProbabilityOf(phi), logs[i] ?? NaN)
        })
      }),
    )
  })

  it('is no number where logits are none, and infinite where there is one class', () => {
    expect([...margins(brokenLogits)]).toEqual([NaN, expect.any(Number)])
    expect([...margins(toLogits({ values: [NaN, 0, 0], labels: [0], classes: 3 }))]).toEqual([NaN])
    expect([...margins(toLogits({ values: [3], labels: [0], classes: 1 }))]).toEqual([Infinity])
    expect([...margins(noLogits)]).toEqual([])
  })
})
