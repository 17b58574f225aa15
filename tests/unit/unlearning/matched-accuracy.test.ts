import { expect, test } from 'vitest'
import { matchedAccuracy } from '../../../unlearning/metrics/matched-accuracy.ts'

/** Logits of two classes that predict the given ones. */
const predicting = (predicted: readonly number[], labels: readonly number[]) => ({
  values: Float32Array.from(predicted.flatMap((one) => (one === 0 ? [1, 0] : [0, 1]))),
  labels: Int32Array.from(labels),
  classes: 2,
})
// Class 0 is right 1 of 2 times, class 1 is right 3 of 4 times.
const test4 = predicting([0, 1, 1, 1, 1, 0], [0, 0, 1, 1, 1, 1])

test.each([
  [[0, 0, 0], 50, 2],
  [[1], 75, 4],
  [[0, 1], 62.5, 1 / (0.25 / 2 + 0.25 / 4)],
])('the accuracy in the shares of classes of %o', (forget, accuracy, samples) => {
  const found = matchedAccuracy(Int32Array.from(forget), test4)
  expect(found.accuracy).toEqual({ value: accuracy })
  expect(found.samples).toBeCloseTo(samples, 10)
})

test('is missing without a test sample of a class', () => {
  expect(matchedAccuracy(Int32Array.of(0), predicting([1], [1]))).toEqual({
    accuracy: { missing: 'no test sample is of class 0, which is in the forget set' },
    samples: 0,
  })
})
