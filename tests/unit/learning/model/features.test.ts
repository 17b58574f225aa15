import { expect, test } from 'vitest'
import { frozenFeatures, penultimateFeatures } from '../../../../learning/model/features.ts'
import { forward } from '../../../../learning/model/forward.ts'
import { parametersOf } from '../../../../learning/model/predict.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { closeTo } from '../../../support/tensors.ts'
import { deviceData, forget, retained, toyModels, trainedOriginal } from '../../../support/toy.ts'

const layers = toyModels.resnet
const last = layers.length - 1

// A batch holds 256.
test.each([
  ['one batch', forget],
  ['several batches', retained],
])('features of %s are those of one pass, and nothing else is left on the device', async (_, indices) => {
  const data = deviceData()
  const parameters = parametersOf(layers, trainedOriginal('resnet'))
  const before = tf.memory().numTensors
  const { input, features } = await frozenFeatures(layers, parameters, data, indices, {
    from: 1,
    capture: new Set(['head']),
  })
  const penultimate = await penultimateFeatures(layers, parameters, data, indices)
  expect(tf.memory().numTensors).toBe(before + 3)
  tf.tidy(() => {
    const images = data.images(indices)
    closeTo(input, forward(layers, parameters, images, { to: 1 }).output, 1e-5)
    closeTo(penultimate, forward(layers, parameters, images, { to: last }).output, 1e-5)
    const logits = features.head
    if (!logits) throw new Error('the head was not captured')
    closeTo(logits, forward(layers, parameters, images).output, 1e-4)
  })
  tf.dispose([input, features, penultimate, parameters])
  data.dispose()
})
