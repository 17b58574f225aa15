import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { batchNormTraining, composed, relu, unpackBytes } from '../../../../learning/model/kernels.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { closeTo, normal } from '../../../support/tensors.ts'

test('the fused batch norm agrees with the composed one, and so do its gradients', () => {
  const x = normal([6, 5, 4, 3], 1) as Tensor4D
  const gamma = normal([3], 2) as Tensor1D
  const beta = normal([3], 3) as Tensor1D
  const weight = normal([6, 5, 4, 3], 4)
  const loss = (norm: typeof batchNormTraining) => (a: Tensor, b: Tensor, c: Tensor) =>
    norm(a as Tensor4D, b as Tensor1D, c as Tensor1D, 1e-5)
      .y.mul(weight)
      .sum()
      .asScalar()

  const fused = batchNormTraining(x, gamma, beta, 1e-5)
  const reference = composed.batchNormTraining(x, gamma, beta, 1e-5)
  closeTo(fused.y, reference.y, 1e-5)
  closeTo(fused.mean, reference.mean, 1e-6)
  closeTo(fused.variance, reference.variance, 1e-5)

  const gradients = tf.grads(loss(batchNormTraining))([x, gamma, beta])
  const expected = tf.grads(loss(composed.batchNormTraining.bind(composed)))([x, gamma, beta])
  gradients.forEach((gradient, i) => {
    closeTo(gradient, expected[i] as Tensor, 1e-4)
  })
})

test('relu and its gradient agree with tfjs', () => {
  const x = normal([4, 7], 5)
  const weight = normal([4, 7], 6)
  closeTo(relu(x), tf.relu(x), 0)
  closeTo(tf.grad((a) => relu(a).mul(weight))(x), tf.grad((a) => tf.relu(a).mul(weight))(x), 0)
})

test('bytes packed four to an integer come back as they were, fused and composed', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.uint8Array({ minLength: 12, maxLength: 12 }),
      (rows, bytes) => {
        const all = new Uint8Array(rows * 12).map((_, i) => (bytes[i % 12] ?? 0) ^ (i * 37))
        tf.tidy(() => {
          const packed = tf.tensor2d(new Int32Array(all.buffer), [rows, 3], 'int32')
          expect(unpackBytes(packed).dataSync()).toEqual(Float32Array.from(all))
          expect(composed.unpackBytes(packed).dataSync()).toEqual(Float32Array.from(all))
        })
      },
    ),
  )
})
