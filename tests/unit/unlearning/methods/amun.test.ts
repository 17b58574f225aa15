import type { Tensor4D } from '@tensorflow/tfjs'
import { expect } from 'vitest'
import { forward } from '../../../../learning/model/forward.ts'
import { parametersOf } from '../../../../learning/model/predict.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { adversarials, unlearn } from '../../../../unlearning/methods/amun.ts'
import { test } from '../../../support/device-data.ts'
import { context, forget, labels, methodSpec, toyModels, trainedOriginal } from '../../../support/toy.ts'

const layers = toyModels.cnn
const original = trainedOriginal('cnn')
const parameters = parametersOf(layers, original)

const classesOf = (images: Tensor4D) => [...forward(layers, parameters, images).output.argMax(1).dataSync()]

test('each image is moved to a wrong class, and no further than a ball that is needed', async ({ data }) => {
  const images = data.images(forget)
  const truth = [...forget].map((i) => labels[i])
  const isRight = classesOf(images).map((found, i) => found === truth[i])
  const search = async (epsilon: number) => {
    const found = await adversarials({ layers, original, data, forget }, { epsilon, attackSteps: 10 })
    expect([...found.labels]).toEqual(classesOf(found.images))
    found.labels.forEach((label, i) => {
      expect(label).not.toBe(truth[i])
    })
    const change = data.difference(found.images, images)
    found.images.dispose()
    return [...change.square().sum([1, 2, 3]).sqrt().dataSync()].map((norm) => norm / 255)
  }
  const [near, far] = [await search(0.05), await search(2)]
  isRight.forEach((right, i) => {
    if (right) expect(near[i]).toBeGreaterThan(0)
    else expect(near[i]).toBe(0)
    expect(far[i]).toBeLessThan(2.001)
  })
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  expect(sum(near)).toBeLessThan(0.8 * sum(far))
  images.dispose()
})

test('with D_f as its base it never reads D_r', async ({ data }) => {
  const method = methodSpec({ method: 'amun', base: 'forget', epsilon: 1, attackSteps: 3, epochs: 1 })
  const { metrics } = await unlearn(method, context(layers, original, data))
  expect(metrics.samplesUsed).toEqual({ retained: 0, forget: forget.length })
  const before = tf.memory().numTensors
  await unlearn(method, context(layers, original, data))
  expect(tf.memory().numTensors).toBe(before)
})
