import { describe, expect, it } from 'vitest'
import { scores } from '../../../unlearning/attacks/scores.ts'
import { activationDistance } from '../../../unlearning/metrics/activation-distance.ts'
import { jsDivergence } from '../../../unlearning/metrics/js-divergence.ts'
import { logProbabilities } from '../../../unlearning/metrics/logits.ts'
import { logProbabilityOf, margins } from '../../../unlearning/population/margin.ts'
import { reference, toLogits, valueOf } from './evaluated-models.ts'

/**
 * The values that tests/reference/make_precise.py computed from the definitions with 400 digits.
 */
const { samples, pairs } = reference('precise.json') as {
  samples: {
    logits: number[]
    label: number
    loss: number
    entropy: number
    'modified-entropy': number
    margin: number
  }[]
  pairs: { unlearned: number[]; gold: number[]; activationDistance: number; jsDivergence: number }[]
}

const one = (values: readonly number[], label: number) =>
  toLogits({ values, labels: [label], classes: values.length })

/** Relative, however small the number: an absolute tolerance would take 0 for 1e-20. */
function expectRelative(actual: number, expected: number, tolerance: number) {
  expect(Math.abs(actual - expected), `${actual} against ${expected}`).toBeLessThanOrEqual(
    tolerance * Math.abs(expected),
  )
}

describe('near p = 0 and p = 1, figures have all their digits', () => {
  it.each(samples)('of logits $logits and class $label', (expected) => {
    const logits = one(expected.logits, expected.label)
    for (const name of ['loss', 'entropy', 'modified-entropy'] as const)
      expectRelative(scores[name](logits)[0] ?? NaN, expected[name], 1e-13)
    const phi = margins(logits)[0] ?? NaN
    expectRelative(phi, expected.margin, 1e-14)
    // A rounded φ of hundreds of nats holds p to 13 digits.
    expectRelative(-logProbabilityOf(phi), expected.loss, 1e-12)
  })

  it.each(pairs)('of models with logits $unlearned and $gold', ({ unlearned, gold, ...expected }) => {
    const [a, b] = [one(unlearned, 0), one(gold, 0)]
    expectRelative(valueOf(activationDistance(a, b)), expected.activationDistance, 1e-12)
    expectRelative(valueOf(jsDivergence(a, b)), expected.jsDivergence, 1e-12)
  })

  it('by hand: the loss of a sure class is the sum of the others’ odds', () => {
    // log(1 + 2 e⁻⁵⁰) = 2 e⁻⁵⁰ − 2 e⁻¹⁰⁰ + …. The second term is 22 digits below the first.
    expectRelative(-(logProbabilities(one([50, 0, 0], 0))[0] ?? NaN), 2 * Math.exp(-50), 1e-15)
  })
})
