import type { Tensor } from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import type { Layer } from '../../../../experiment/models/layers.ts'
import { forward } from '../../../../learning/model/forward.ts'
import { parametersOf } from '../../../../learning/model/predict.ts'
import { initialWeights, parameterSpecs } from '../../../../learning/model/parameters.ts'
import { stream } from '../../../../learning/random.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { closeTo, normal } from '../../../support/tensors.ts'

const layers: readonly Layer[] = [{ kind: 'batch-norm', name: 'norm', channels: 2 }]
/** γ = (1, 2), β = (0, 1), running mean (1, 1) and running variance (4, 1). */
const parameters = {
  'norm.gamma': tf.tensor1d([1, 2]),
  'norm.beta': tf.tensor1d([0, 1]),
  'norm.mean': tf.tensor1d([1, 1]),
  'norm.variance': tf.tensor1d([4, 1]),
}
const values = [1, 2, 3, 6, 5, 10]

/**
 * The columns (1, 3, 5) and (2, 6, 10) have the means 3 and 6, the biased variances 8/3 and 32/3,
 * and the unbiased ones 4 and 16. An entry that is one step from the mean is ±√(3/2) afterwards.
 */
const step = Math.sqrt(1.5)
const normalised = [-step, 1 - 2 * step, 0, 1, step, 1 + 2 * step]

test.each([
  ['rows of a linear layer', [3, 2]],
  ['tokens', [1, 3, 2]],
  ['images', [3, 1, 1, 2]],
])('in training, %s are normalised by the statistics of the batch', (_, shape) => {
  const x = tf.tensor(values, shape)
  const { output, statistics } = forward(layers, parameters, x, { training: true })
  closeTo(output, tf.tensor(normalised, shape), 1e-5)
  closeTo(statistics['norm.mean'] as Tensor, tf.tensor1d([3, 6]), 1e-6)
  closeTo(statistics['norm.variance'] as Tensor, tf.tensor1d([4, 16]), 1e-5)
})

test.each([
  ['rows of a linear layer', [3, 2]],
  ['images', [3, 1, 1, 2]],
])('afterwards, %s are normalised by the running statistics', (_, shape) => {
  const { output } = forward(layers, parameters, tf.tensor(values, shape))
  closeTo(output, tf.tensor([0, 3, 1, 11, 2, 19], shape), 1e-4)
})

test('a model with a batch norm after a linear layer has the gradient of its finite differences', () => {
  const model: readonly Layer[] = [
    { kind: 'flatten', name: 'flatten' },
    { kind: 'linear', name: 'linear1', in: 4, out: 3 },
    { kind: 'batch-norm', name: 'norm1', channels: 3 },
    { kind: 'relu', name: 'relu1' },
    { kind: 'linear', name: 'head', in: 3, out: 2 },
  ]
  const constants = parametersOf(model, initialWeights(parameterSpecs(model), stream(1, 'weights')))
  const x = normal([8, 2, 2, 1], 2)
  const weight = normal([8, 2], 3)
  const loss = (kernel: Tensor) => {
    const named = { ...constants, 'linear1.weight': kernel }
    return forward(model, named, x, { training: true }).output.mul(weight).sum().asScalar()
  }
  const at = constants['linear1.weight'] as Tensor
  const direction = normal([4, 3], 4)
  const analytic = tf.grad(loss)(at).mul(direction).sum().dataSync()[0] ?? NaN
  const h = 1e-3
  const numeric =
    ((loss(at.add(direction.mul(h))).dataSync()[0] ?? NaN) -
      (loss(at.sub(direction.mul(h))).dataSync()[0] ?? NaN)) /
    (2 * h)
  expect(Math.abs(numeric)).toBeGreaterThan(0.1)
  expect(Math.abs(analytic - numeric)).toBeLessThan(2e-3 + 0.02 * Math.abs(numeric))
})
