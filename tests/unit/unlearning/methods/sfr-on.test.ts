import type { Tensor, Tensor1D } from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { clipped, iterationSteps, weightedError } from '../../../../unlearning/methods/sfr-on.ts'
import { normal } from '../../../support/tensors.ts'

test('every n-th iteration ascends before it descends', () => {
  expect(iterationSteps(4, 3).map(({ ascends, iteration }) => [ascends, iteration])).toEqual([
    [true, 0],
    [false, 0],
    [false, 1],
    [false, 2],
    [true, 3],
    [false, 3],
  ])
})

test('a gradient is shortened to the norm and never lengthened', () => {
  const vector = tf.tensor1d([3, 4])
  expect(clipped(vector, 2.5).dataSync()[1]).toBeCloseTo(2, 5)
  expect([...clipped(vector, 50).dataSync()]).toEqual([3, 4])
})

test('samples are weighted by their error, and the weights count as constants in the gradient', () => {
  const logits = normal([6, 4], 1)
  const labels: Tensor1D = tf.tensor1d([0, 1, 2, 3, 0, 1], 'int32')
  const errors = tf.logSoftmax(logits).mul(tf.oneHot(labels, 4)).sum(1).neg()
  const inverse = [...errors.dataSync()].map((error) => error ** -0.5)
  const sum = inverse.reduce((total, value) => total + value, 0)
  const weights = tf.tensor1d(inverse.map((value) => value / sum))
  expect(weightedError(logits, labels, 0.5).dataSync()[0]).toBeCloseTo(
    errors.mul(weights).sum().dataSync()[0] ?? NaN,
    6,
  )
  const gradient = tf.grad((z: Tensor) => weightedError(z, labels, 0.5))(logits)
  const expected = tf
    .softmax(logits)
    .sub(tf.oneHot(labels, 4))
    .mul(weights.reshape([6, 1]))
  expect(gradient.sub(expected).abs().max().dataSync()[0]).toBeLessThan(1e-6)
})
