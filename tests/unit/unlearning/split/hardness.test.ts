import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hardnessNames } from '../../../../experiment/spec/split.ts'
import { byHardness } from '../../../../unlearning/split/hardness.ts'
import { correctness, trueLogProbabilities, type Logits } from '../../../../unlearning/metrics/logits.ts'

/** Up to 30 samples of three classes. */
const anyLogits: fc.Arbitrary<Logits> = fc
  .array(
    fc.record({
      row: fc.array(fc.float({ min: -8, max: 8, noNaN: true }), { minLength: 3, maxLength: 3 }),
      label: fc.nat(2),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map((samples) => ({
    values: Float32Array.from(samples.flatMap(({ row }) => row)),
    labels: Int32Array.from(samples, ({ label }) => label),
    classes: 3,
  }))

test('losses fall, or rise, along the ranking, which has every sample once', () => {
  fc.assert(
    fc.property(anyLogits, (logits) => {
      const losses = trueLogProbabilities(logits).map((log) => -log)
      const highest = byHardness(logits, 'highest-loss')
      const lowest = byHardness(logits, 'lowest-loss')
      for (const [ranking, sign] of [
        [highest, -1],
        [lowest, 1],
      ] as const) {
        expect([...ranking].sort((a, b) => a - b)).toEqual([...logits.labels.keys()])
        ranking.slice(1).forEach((i, before) => {
          const step = (losses[i] ?? NaN) - (losses[ranking[before] ?? -1] ?? NaN)
          expect(sign * step).toBeGreaterThanOrEqual(-1e-9)
        })
      }
    }),
  )
})

test('memorised most: those of the highest loss, without what the original gets wrong', () => {
  fc.assert(
    fc.property(anyLogits, (logits) => {
      const right = correctness(logits)
      const highest = byHardness(logits, 'highest-loss')
      expect(byHardness(logits, 'most-memorised')).toEqual(highest.filter((i) => right[i] === 1))
    }),
  )
})

test('of equals the first comes first, at either end', () => {
  const logits = { values: Float32Array.of(2, 0, 1, 0, 2, 0), labels: Int32Array.of(0, 0, 0), classes: 2 }
  expect([...byHardness(logits, 'highest-loss')]).toEqual([1, 0, 2])
  expect([...byHardness(logits, 'lowest-loss')]).toEqual([0, 2, 1])
})

test('samples whose loss rounds to 0 are still told apart', () => {
  const logits = {
    values: Float32Array.of(800, 0, 2000, 0, 900, 0),
    labels: Int32Array.of(0, 0, 0),
    classes: 2,
  }
  expect([...trueLogProbabilities(logits)].map(Math.abs)).toEqual([0, 0, 0])
  expect([...byHardness(logits, 'lowest-loss')]).toEqual([1, 2, 0])
})

test.each(hardnessNames)('%s: logits that are not finite rank nothing', (by) => {
  const logits = { values: Float32Array.of(1, NaN), labels: Int32Array.of(0), classes: 2 }
  expect(() => byHardness(logits, by)).toThrow(
    'training samples cannot be ranked by what the original makes of them: the logits are not finite',
  )
})
