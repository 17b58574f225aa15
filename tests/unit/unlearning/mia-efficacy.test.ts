import {
  classifierNames,
  scoreNames,
  type ClassifierName,
  type ScoreName,
} from '../../../experiment/records/scores.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Measured } from '../../../experiment/records/measured.ts'
import type { StageMetrics } from '../../../experiment/stages/stage.ts'
import { permutation, stream } from '../../../learning/random.ts'
import { miaEfficacy, type AttackInput } from '../../../unlearning/attacks/mia-efficacy.ts'
import { trueLogProbabilities, type Logits } from '../../../unlearning/metrics/logits.ts'
import {
  brokenLogits,
  expectClose,
  noLogits,
  reference,
  reordered,
  toLogits,
  valueOf,
  withConfidence,
  type PlainLogits,
} from './evaluated-models.ts'

const vectors = reference('attacks.json') as {
  attacks: {
    name: string
    sets: Record<keyof AttackInput, PlainLogits>
    efficacy: Record<ClassifierName, Partial<Record<ScoreName, number>>>
  }[]
}

const attack = (input: AttackInput, samples = 2000, seed = 1) =>
  miaEfficacy(input, { samples, stream: stream(seed, 'attack') })

const every = (figures: StageMetrics['attack']['efficacy']): Measured[] =>
  classifierNames.flatMap((classifier) => scoreNames.map((score) => figures[classifier][score]))

/** `count` samples with confidences spread evenly over a range. */
const spread = (count: number, from: number, to: number) =>
  withConfidence(Array.from({ length: count }, (_, i) => from + ((to - from) * (i + 0.5)) / count))

const sureOfMembers = {
  retained: spread(90, 0.9, 0.99),
  nonMembers: spread(60, 0.1, 0.6),
  test: spread(60, 0.1, 0.6),
}

describe('MIA-efficacy', () => {
  it.each(vectors.attacks)('agrees with scikit-learn: $name', async ({ sets, efficacy }) => {
    const input = {
      retained: toLogits(sets.retained),
      nonMembers: toLogits(sets.nonMembers),
      forget: toLogits(sets.forget),
      test: toLogits(sets.test),
    }
    const result = await attack(input)
    for (const classifier of classifierNames)
      for (const [score, expected] of Object.entries(efficacy[classifier]))
        expectClose(valueOf(result.efficacy[classifier][score as ScoreName]), expected)
    expect(result).toMatchObject({ members: 60, nonMembers: 60 })
    for (const figure of every(result.accuracy))
      expect(figure).toEqual({ missing: 'every retained sample trains the attack' })
  })

  it('counts D_f called non-member, in the same direction for every score, entropies too', async () => {
    const forgotten = await attack({ ...sureOfMembers, forget: spread(20, 0.1, 0.22) })
    const remembered = await attack({ ...sureOfMembers, forget: spread(20, 0.92, 0.98) })
    for (const figure of every(forgotten.efficacy)) expect(valueOf(figure)).toBe(100)
    for (const figure of every(remembered.efficacy)) expect(valueOf(figure)).toBe(0)
  })

  it('trains attacks on further scores, which change no figure of the built-in ones', async () => {
    const input = { ...sureOfMembers, forget: spread(20, 0.1, 0.98) }
    const plain = await attack(input)
    const { efficacy, accuracy, ...counts } = await miaEfficacy(input, {
      samples: 2000,
      stream: stream(1, 'attack'),
      further: new Map([['mine', (logits) => trueLogProbabilities(logits).map(Math.exp)]]),
    })
    for (const classifier of classifierNames) {
      expect(efficacy[classifier]).toEqual({
        ...plain.efficacy[classifier],
        mine: plain.efficacy[classifier].confidence,
      })
      expect(accuracy[classifier].mine).toEqual(plain.accuracy[classifier].confidence)
    }
    expect(counts).toEqual({ members: plain.members, nonMembers: plain.nonMembers })
  })

  it('has an accuracy of its own on samples that did not train it', async () => {
    const { accuracy } = await attack({ ...sureOfMembers, forget: spread(20, 0.9, 0.99) })
    for (const score of ['confidence', 'loss', 'modified-entropy'] as const)
      expect(accuracy.svm[score]).toEqual({ value: 100 })
    const mirrored = await attack({
      ...sureOfMembers,
      test: spread(60, 0.9, 0.99),
      forget: spread(20, 0.9, 0.99),
    })
    // Test samples that look like members are all called members. This is right for one half and
    // wrong for the other.
    expect(mirrored.accuracy.svm.confidence).toEqual({ value: 50 })
  })

  it('trains on as many members as non-members, at most `samples` of each', async () => {
    const forget = spread(5, 0.1, 0.5)
    expect(await attack({ ...sureOfMembers, forget })).toMatchObject({ members: 60, nonMembers: 60 })
    expect(await attack({ ...sureOfMembers, forget }, 12)).toMatchObject({ members: 12, nonMembers: 12 })
    expect(await attack({ ...sureOfMembers, retained: spread(1, 0.9, 0.99), forget })).toMatchObject({
      members: 1,
      nonMembers: 1,
    })
  })

  it('is the same to the bit for the same stream, and draws others from another', async () => {
    const input = {
      retained: spread(90, 0.3, 0.99),
      nonMembers: spread(60, 0.1, 0.8),
      test: spread(60, 0.1, 0.8),
      forget: spread(40, 0.1, 0.99),
    }
    expect(await attack(input, 20, 7)).toEqual(await attack(input, 20, 7))
    expect(await attack(input, 20, 7)).not.toEqual(await attack(input, 20, 8))
  })

  it('lies within [0, 100] and does not depend on the order of samples that all train', async () => {
    const set = fc.array(fc.double({ min: 0.01, max: 0.99, noNaN: true }), { minLength: 1, maxLength: 12 })
    const input = fc.record({ retained: set, nonMembers: set, forget: set, test: set })
    await fc.assert(
      fc.asyncProperty(input, fc.integer(), async (sets, seed) => {
        const size = Math.min(sets.retained.length, sets.nonMembers.length)
        const whole = {
          retained: withConfidence(sets.retained.slice(0, size)),
          nonMembers: withConfidence(sets.nonMembers.slice(0, size)),
          forget: withConfidence(sets.forget),
          test: withConfidence(sets.test),
        }
        const result = await attack(whole)
        for (const figure of every(result.efficacy)) {
          if ('missing' in figure) continue
          expect(figure.value).toBeGreaterThanOrEqual(0)
          expect(figure.value).toBeLessThanOrEqual(100)
        }
        const shuffled = (logits: Logits, name: string) =>
          reordered(logits, [...permutation(logits.labels.length, stream(seed, 'test', name))])
        const turned = {
          retained: shuffled(whole.retained, 'retained'),
          nonMembers: shuffled(whole.nonMembers, 'nonMembers'),
          forget: shuffled(whole.forget, 'forget'),
          test: shuffled(whole.test, 'test'),
        }
        expect(await attack(turned)).toEqual(result)
      }),
    )
  })
})

describe('an attack that cannot be', () => {
  const input: AttackInput = { ...sureOfMembers, forget: spread(20, 0.1, 0.9) }

  it.each([
    ['retained', noLogits, 'retained: the set is empty', 'retained: the set is empty'],
    ['retained', brokenLogits, 'retained: the logits are not finite', 'retained: the logits are not finite'],
    ['nonMembers', noLogits, 'non-members: the set is empty', 'non-members: the set is empty'],
    ['forget', noLogits, 'forget: the set is empty', undefined],
    ['forget', brokenLogits, 'forget: the logits are not finite', undefined],
    ['test', noLogits, undefined, 'test: the set is empty'],
    ['test', brokenLogits, undefined, 'test: the logits are not finite'],
  ] as const)('has missing figures, never 0: %s', async (set, logits, efficacy, accuracy) => {
    const result = await attack({ ...input, [set]: logits })
    for (const figure of every(result.efficacy))
      expect(figure).toEqual(
        efficacy === undefined ? { value: expect.any(Number) as number } : { missing: efficacy },
      )
    for (const figure of every(result.accuracy))
      expect(figure).toEqual(
        accuracy === undefined ? { value: expect.any(Number) as number } : { missing: accuracy },
      )
  })

  it('is missing where the score says nothing: all correct', async () => {
    const result = await attack({
      ...input,
      retained: spread(30, 0.7, 0.99),
      nonMembers: spread(30, 0.6, 0.8),
    })
    const missing = { missing: 'members and non-members have the same correctness scores' }
    expect(result.efficacy.svm.correctness).toEqual(missing)
    expect(result.efficacy.logistic.correctness).toEqual(missing)
    expect(result.accuracy.svm.correctness).toEqual(missing)
    expect(valueOf(result.efficacy.svm.confidence)).toBeGreaterThan(0)
  })

  it('is defined where the attack calls all of D_f member', async () => {
    const result = await attack({
      retained: withConfidence([0.5, 0.5, 0.5, 0.5]),
      nonMembers: withConfidence([0.5, 0.5, 0.5, 0.9]),
      forget: withConfidence([0.1, 0.5, 0.5, 0.2]),
      test: spread(10, 0.3, 0.6),
    })
    expect(valueOf(result.efficacy.svm.confidence)).toBe(0)
  })
})
