import { afterAll, expect } from 'vitest'
import { forward } from '../../../../../learning/model/forward.ts'
import { crossEntropy } from '../../../../../learning/training/losses.ts'
import { initialWeights, parameterSpecs, type Weights } from '../../../../../learning/model/parameters.ts'
import { parametersOf } from '../../../../../learning/model/predict.ts'
import { stream } from '../../../../../learning/random.ts'
import { tf } from '../../../../../learning/tensorflow/tf.ts'
import { batchesOf, gradientAt, sumsOf } from '../../../../../unlearning/methods/shared/gradients.ts'
import { test } from '../../../../support/device-data.ts'
import { all, deviceData, toyModels } from '../../../../support/toy.ts'

const layers = toyModels.cnn
const weights = initialWeights(parameterSpecs(layers), stream(1, 'weights'))
const data = deviceData()
afterAll(() => {
  data.dispose()
})

function loss({ trained, statistics }: Weights, batch: Int32Array): number {
  return tf.tidy(() => {
    const { output } = forward(layers, parametersOf(layers, { trained, statistics }), data.images(batch))
    return crossEntropy(output, data.labelsOf(batch)).dataSync()[0] ?? NaN
  })
}

test('a gradient agrees with finite differences of the loss', async () => {
  const batch = all.subarray(0, 16)
  const gradient = (await gradientAt(layers, weights, data)(batch).data()) as Float32Array
  // The 40 parameters with the largest gradient, where float32 leaves differences some digits.
  const order = [...gradient.keys()].sort((a, b) => Math.abs(gradient[b] ?? 0) - Math.abs(gradient[a] ?? 0))
  const step = 1e-3
  for (const i of order.slice(0, 40)) {
    const moved = (by: number) => {
      const trained = weights.trained.slice()
      trained[i] = (trained[i] ?? 0) + by
      return loss({ ...weights, trained }, batch)
    }
    const difference = (moved(step) - moved(-step)) / (2 * step)
    expect(Math.abs((gradient[i] ?? NaN) - difference)).toBeLessThan(0.03 * Math.abs(difference))
  }
})

test('other labels than the data’s give the gradient that data with those labels would', async () => {
  const batch = Int32Array.of(0, 4, 8)
  const gradient = gradientAt(layers, weights, data)
  const asClass1 = await gradient(batch, tf.tensor1d([1, 1, 1], 'int32')).data()
  const relabelled = Object.assign(deviceData(), { labels: data.labels.map(() => 1) })
  expect(asClass1).toEqual(await gradientAt(layers, weights, relabelled)(batch).data())
  expect(asClass1).not.toEqual(await gradient(batch).data())
  relabelled.dispose()
})

test('batches cover all samples once, the last with what is left', () => {
  const batches = batchesOf(all.subarray(0, 10), 4)
  expect(batches.map((batch) => [...batch])).toEqual([
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [8, 9],
  ])
})

test('sums are over each pass’s own batches', async ({ data }) => {
  const term = (batch: Int32Array) => tf.tensor1d([batch.length, batch.reduce((a, b) => a + b, 0)])
  const passes = [all.subarray(0, 5), all.subarray(5, 8)].map((indices) => ({
    batches: batchesOf(indices, 2),
    term,
  }))
  const sums = await sumsOf(passes, 2, { data, steps: 5 })
  expect(sums.map((sum) => [...sum.dataSync()])).toEqual([
    [5, 10],
    [3, 18],
  ])
})
