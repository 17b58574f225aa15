import fc from 'fast-check'
import { expect } from 'vitest'
import { gradientAt } from '../../../../unlearning/methods/shared/gradients.ts'
import { largest, unlearn } from '../../../../unlearning/methods/salun.ts'
import { test } from '../../../support/device-data.ts'
import { context, forget, methodSpec, toyModels, trainedOriginal } from '../../../support/toy.ts'

const layers = toyModels.resnet
const original = trainedOriginal('resnet')

test('the mask keeps the largest share, and no value that is left out is above one that is kept', () => {
  const values = fc.float32Array({ minLength: 1, maxLength: 50, min: 0, noNaN: true })
  fc.assert(
    fc.property(values, fc.double({ min: 0.01, max: 1, noNaN: true }), (array, share) => {
      const mask = largest(array, share)
      const kept = array.filter((_, i) => mask[i] === 1)
      const left = array.filter((_, i) => mask[i] === 0)
      expect(kept).toHaveLength(Math.max(1, Math.round(share * array.length)))
      expect(kept.length + left.length).toBe(array.length)
      expect(Math.max(-Infinity, ...left)).toBeLessThanOrEqual(Math.min(...kept))
    }),
  )
})

test('parameters outside the mask keep their bytes under momentum and weight decay', async ({ data }) => {
  const spec = methodSpec({
    method: 'salun',
    epochs: 1,
    batchSize: 32,
    share: 0.1,
    optimizer: { name: 'sgd', learningRate: 0.1, weightDecay: 0.01 },
  })
  const { weights, metrics } = await unlearn(spec, context(layers, original, data))
  const gradient = (await gradientAt(layers, original, data)(forget).data()) as Float32Array

  const size = original.trained.length
  expect(metrics.trainable).toBe(Math.round(0.1 * size))
  const moved = [...original.trained.keys()].filter((i) => weights.trained[i] !== original.trained[i])
  expect(moved.length).toBeGreaterThan(0.09 * size)
  const magnitudes = gradient.map(Math.abs)
  const threshold = magnitudes.slice().sort()[size - metrics.trainable] ?? NaN
  for (const i of moved) expect(magnitudes[i]).toBeGreaterThan(0.999 * threshold)
})
