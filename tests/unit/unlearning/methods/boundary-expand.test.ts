import type { Tensor } from '@tensorflow/tfjs'
import { describe, expect } from 'vitest'
import { forward } from '../../../../learning/model/forward.ts'
import { initialWeights, parameterSpecs } from '../../../../learning/model/parameters.ts'
import { parametersOf } from '../../../../learning/model/predict.ts'
import { stream } from '../../../../learning/random.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { pruned, unlearn, widened } from '../../../../unlearning/methods/boundary-expand.ts'
import { test } from '../../../support/device-data.ts'
import { closeTo } from '../../../support/tensors.ts'
import {
  accuracyOn,
  context,
  forget,
  methodSpec,
  retained,
  toyModels,
  trainedOriginal,
} from '../../../support/toy.ts'

describe.each(Object.entries(toyModels))('on a %s', (_, layers) => {
  const weights = initialWeights(parameterSpecs(layers), stream(1, 'weights'))
  const wider = widened(layers, weights, stream(1, 'shadow'))

  test('the shadow class leaves the other logits as they are', ({ data }) => {
    tf.tidy(() => {
      const images = data.images(forget)
      const logits = (of: typeof wider) =>
        forward(of.layers, parametersOf(of.layers, of.weights), images).output
      const [others, shadow] = tf.split(logits(wider), [4, 1], 1) as [Tensor, Tensor]
      closeTo(others, logits({ layers, weights }), 1e-5)
      expect(shadow.abs().max().dataSync()[0]).toBeGreaterThan(1e-3)
    })
  })

  test('what is widened and pruned is the model as it was', () => {
    expect(pruned(wider.layers, wider.weights, layers)).toEqual(weights)
  })
})

test("forgets the class, and the head has the original's shape", async ({ data }) => {
  const layers = toyModels.resnet
  const original = trainedOriginal('resnet')
  const spec = methodSpec({
    method: 'boundary-expand',
    epochs: 4,
    batchSize: 32,
    optimizer: { name: 'sgd', learningRate: 0.02 },
  })
  const { weights, metrics } = await unlearn(spec, context(layers, original, data))
  expect(weights.trained).toHaveLength(original.trained.length)
  expect(weights.statistics).toHaveLength(original.statistics.length)
  // One more column of the head, and its bias.
  expect(metrics.trainable).toBe(original.trained.length + 16 + 1)
  expect(metrics.samplesUsed).toEqual({ retained: 0, forget: forget.length })
  expect(await accuracyOn(forget, layers, weights, data)).toBeLessThan(50)
  expect(await accuracyOn(retained, layers, weights, data)).toBeGreaterThan(85)
})
