import type { Tensor, Tensor1D } from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { attention, composed, gelu, geluTanh, layerNorm } from '../../../../learning/model/transformer.ts'
import { closeTo, normal } from '../../../support/tensors.ts'

type Operation = (...inputs: Tensor[]) => Tensor

const operations: readonly (readonly [string, Operation, Operation, readonly Tensor[]])[] = [
  [
    'layer norm',
    (x, gamma, beta) => layerNorm(x, gamma as Tensor1D, beta as Tensor1D, 1e-6),
    (x, gamma, beta) => composed.layerNorm(x, gamma as Tensor1D, beta as Tensor1D, 1e-6),
    [normal([3, 4, 6], 1), normal([6], 2), normal([6], 3)],
  ],
  ['gelu', (x) => gelu(x), (x) => composed.gelu(x), [normal([5, 7], 4).mul(3)]],
  ['gelu by tanh', (x) => geluTanh(x), (x) => composed.geluTanh(x), [normal([5, 7], 5).mul(3)]],
  [
    'attention',
    (q, k, v) => attention(q, k, v, 2),
    (q, k, v) => composed.attention(q, k, v, 2),
    [normal([3, 5, 8], 6), normal([3, 5, 8], 7), normal([3, 5, 8], 8)],
  ],
]

describe.each(operations)('%s', (_, operation, reference, inputs) => {
  const weight = normal(operation(...inputs).shape, 9)
  const loss =
    (f: Operation) =>
    (...args: Tensor[]) =>
      f(...args)
        .mul(weight)
        .sum()
        .asScalar()

  test('and its gradients agree with the composition that tfjs differentiates', () => {
    closeTo(operation(...inputs), reference(...inputs), 1e-5)
    const gradients = tf.grads(loss(operation))([...inputs])
    const expected = tf.grads(loss(reference))([...inputs])
    gradients.forEach((gradient, i) => {
      closeTo(gradient, expected[i] as Tensor, 1e-4)
    })
  })

  test('has the gradients of finite differences', () => {
    const gradients = tf.grads(loss(operation))([...inputs])
    const step = 1e-2
    inputs.forEach((input, i) => {
      const direction = normal(input.shape, 10 + i)
      const at = (by: number) =>
        loss(operation)(
          ...inputs.map((other, j) => (j === i ? input.add(direction.mul(by)) : other)),
        ).dataSync()[0] ?? NaN
      const numeric = (at(step) - at(-step)) / (2 * step)
      const along = (gradients[i] as Tensor).mul(direction).sum().dataSync()[0] ?? NaN
      expect(Math.abs(numeric - along)).toBeLessThan(2e-2 * Math.max(1, Math.abs(along)))
    })
  })

  test('leaves no tensor behind', () => {
    const before = tf.memory().numTensors
    tf.dispose(tf.tidy(() => tf.grads(loss(operation))([...inputs])))
    expect(tf.memory().numTensors).toBe(before)
  })
})
