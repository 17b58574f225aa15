import { expect, test } from 'vitest'
import type { Logits } from '../../../unlearning/metrics/logits.ts'
import { validationGap } from '../../../unlearning/metrics/validation-gap.ts'
import { unseenAccuracy } from '../../../unlearning/metrics/unseen-accuracy.ts'

/** Of two classes: each sample's label, and whether the model is right on it. */
const logits = (...samples: readonly (readonly [label: number, right: boolean])[]): Logits => ({
  values: Float32Array.from(samples.flatMap(([label, right]) => ((label === 0) === right ? [1, 0] : [0, 1]))),
  labels: Int32Array.from(samples, ([label]) => label),
  classes: 2,
})

test('unseen accuracy weighs classes as D_f does, and is 0 where no sample of the class is known', () => {
  const validation = { labels: Int32Array.of(0, 0, 1, 1, 1, 1), correct: [1, 1, 1, 0, 0, 0] }
  expect(unseenAccuracy(Int32Array.of(0, 0, 0, 1), validation)).toBeCloseTo(100 * ((3 * 1 + 0.25) / 4), 10)
  expect(unseenAccuracy(Int32Array.of(2, 2), validation)).toBe(0)
  expect(unseenAccuracy(Int32Array.of(0, 2), validation)).toBe(50)
})

const validation = logits([0, true], [0, false], [1, true], [1, true])
const retained = logits([0, true], [1, true])

test('is 0 for a model that stays the original but for being right on D_f as on unseen samples', () => {
  const forget = logits([0, true], [0, false], [1, true])
  expect(validationGap({ forget, retained, validation }, { retained, validation })).toEqual({
    value: expect.closeTo(0, 10) as number,
  })
})

test('means what is still known of D_f, and what is lost elsewhere', () => {
  const original = { retained, validation }
  const forget = logits([0, true], [0, true], [1, true])
  // FA is 100 and should be 2/3.
  expect(validationGap({ forget, ...original }, original)).toEqual({
    value: expect.closeTo(100 / 9, 10) as number,
  })
  const worse = {
    retained: logits([0, true], [1, false]),
    validation: logits([0, true], [0, true], [1, false], [1, true]),
  }
  // FA should be (1 + 1 + 0.5) / 3, RA falls by 50, and of the validation set as many are right.
  expect(validationGap({ forget, ...worse }, original)).toEqual({
    value: expect.closeTo((100 / 6 + 50 + 0) / 3, 10) as number,
  })
})

test('without validation samples there is none, and the reason is said', () => {
  const none = logits()
  const forget = logits([0, true])
  expect(validationGap({ forget, retained, validation: none }, { retained, validation: none })).toEqual({
    missing: 'validation: the set is empty',
  })
})
