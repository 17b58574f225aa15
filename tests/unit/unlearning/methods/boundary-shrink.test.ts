import { beforeAll, describe, expect } from 'vitest'
import { labelsAt } from '../../../../learning/data/device-data.ts'
import { crossEntropy } from '../../../../learning/training/losses.ts'
import { forward } from '../../../../learning/model/forward.ts'
import type { NamedTensors } from '../../../../learning/model/parameters.ts'
import { parametersOf, predict } from '../../../../learning/model/predict.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { nearestClasses, unlearn } from '../../../../unlearning/methods/boundary-shrink.ts'
import { test } from '../../../support/device-data.ts'
import {
  all,
  context,
  deviceData,
  forget,
  labels,
  methodSpec,
  toyModels,
  trainedOriginal,
} from '../../../support/toy.ts'
import { checkProblems, digitFacts, edited } from '../../experiment/sample.ts'

describe.each(['cnn', 'resnet'] as const)('on a %s', (model) => {
  const layers = toyModels[model]
  const original = trainedOriginal(model)
  let parameters: NamedTensors
  beforeAll(() => {
    parameters = parametersOf(layers, original)
  })

  test.each([1e-6, 0.1, 1])('the nearest class is another one than the true (ε = %d)', async (epsilon) => {
    const data = deviceData()
    const before = tf.memory().numTensors
    const nearest = await nearestClasses(layers, parameters, data, all, epsilon)
    expect(tf.memory().numTensors).toBe(before)
    data.dispose()
    expect(nearest).toHaveLength(all.length)
    nearest.forEach((label, i) => {
      expect(label).not.toBe(labels[i])
      expect([0, 1, 2, 3]).toContain(label)
    })
  })

  test('with a step of nothing it is the one that the model ranks next', async ({ data }) => {
    const logits = await predict(layers, parameters, data, all, 128)
    const nearest = await nearestClasses(layers, parameters, data, all, 1e-9)
    const next = all.map((i) => {
      const others = logits.slice(4 * i, 4 * i + 4)
      others[labels[i] ?? 0] = -Infinity
      return others.indexOf(Math.max(...others))
    })
    expect(nearest).toEqual(next)
  })

  test('the step raises the loss and stays within the range of pixels', ({ data }) => {
    const { loss, range } = tf.tidy(() => {
      const y = data.labelsOf(forget)
      const error = (images: Parameters<typeof forward>[2]) =>
        crossEntropy(forward(layers, parameters, images).output, y)
      const x = data.images(forget)
      const moved = data.shifted(x, tf.grad(error)(x).sign().mul(25.5))
      const pixels = data.shifted(x, tf.onesLike(x).mul(1e4)).max()
      return {
        loss: [error(x), error(moved)].map((value) => value.dataSync()[0] ?? NaN),
        range: [pixels.dataSync()[0] ?? NaN, moved.sub(x).abs().max().dataSync()[0] ?? NaN],
      }
    })
    expect(loss[1]).toBeGreaterThan((loss[0] ?? NaN) + 0.1)
    expect(range[0]).toBeCloseTo((255 - 105) / 48, 5)
    expect(range[1]).toBeCloseTo(25.5 / 48, 5)
  })

  test('the student learns those labels for D_f', async ({ data }) => {
    const spec = methodSpec({
      method: 'boundary-shrink',
      epochs: 8,
      batchSize: 32,
      optimizer: { name: 'sgd', learningRate: 5e-3 },
    })
    const { weights } = await unlearn(spec, context(layers, original, data))
    const nearest = await nearestClasses(layers, parameters, data, forget, 0.1)
    const student = parametersOf(layers, weights)
    const logits = await predict(layers, student, data, forget, 128)
    tf.dispose(student)
    const agreeing = forget.filter((_, i) => {
      const row = logits.subarray(4 * i, 4 * i + 4)
      return row.indexOf(Math.max(...row)) === nearest[i]
    })
    expect(agreeing.length).toBeGreaterThan(0.75 * forget.length)
    expect(labelsAt(data.labels, forget).every((label) => label === 2)).toBe(true)
  })
})

test('data of one class is refused: there is no other class to go to', () => {
  const one = { ...digitFacts, train: digitFacts.train.map((count, i) => (i === 3 ? count : 0)) }
  const config = edited('- method: original', '- method: boundary-shrink').replace(
    'kind: class\n  classes: [3]',
    'kind: random\n  fraction: 0.1',
  )
  expect(checkProblems(config)).toEqual([])
  expect(checkProblems(config, one)).toMatchObject([
    {
      path: 'methods[0].method',
      message: 'boundary-shrink needs at least 2 classes, and digits has samples of 1',
    },
  ])
})
