import { expect, test } from 'vitest'
import { parameterSpecs, unpackArrays } from '../../../../learning/model/parameters.ts'
import { unlearn } from '../../../../unlearning/methods/l1-sparse.ts'
import { context, deviceData, methodSpec, toyModels, trainedOriginal } from '../../../support/toy.ts'

const layers = toyModels.cnn
const original = trainedOriginal('cnn')

async function sparse(options: Record<string, unknown>, from = original) {
  const data = deviceData()
  const result = await unlearn(
    methodSpec({ method: 'l1-sparse', batchSize: 32, ...options }),
    context(layers, from, data),
  )
  data.dispose()
  return result
}
const norm = (values: Float32Array) => values.reduce((sum, value) => sum + Math.abs(value), 0)

test('the penalty makes weights sparser', async () => {
  const [plain, penalised] = [await sparse({ alpha: 0 }), await sparse({ alpha: 0.03 })]
  expect(norm(penalised.weights.trained)).toBeLessThan(0.8 * norm(plain.weights.trained))
  const nearZero = (values: Float32Array) => values.filter((value) => Math.abs(value) < 5e-3).length
  expect(nearZero(penalised.weights.trained)).toBeGreaterThan(2 * nearZero(plain.weights.trained))
})

test('its weight falls linearly from α to 0', async () => {
  // A rate that moves nothing, and whole batches: what changes from step to step is α_t alone.
  const { metrics } = await sparse({
    alpha: 0.01,
    batchSize: 300,
    epochs: 5,
    optimizer: { name: 'sgd', learningRate: 1e-12 },
  })
  const losses = metrics.curve.map(({ loss }) => loss)
  expect(losses).toHaveLength(5)
  losses.slice(1).forEach((loss, i) => {
    expect((losses[i] ?? NaN) - loss).toBeCloseTo((0.01 / 5) * norm(original.trained), 4)
  })
})

test('weights that are exactly 0 and that the loss leaves there stay there', async () => {
  const zero = { trained: new Float32Array(original.trained.length), statistics: original.statistics }
  const { weights } = await sparse({ alpha: 0.01, epochs: 1 }, zero)
  const { 'head.bias': bias, ...others } = unpackArrays(parameterSpecs(layers).trained, weights.trained)
  expect(bias?.values.some((value) => value !== 0)).toBe(true)
  expect(Object.values(others).every(({ values }) => values.every((value) => value === 0))).toBe(true)
})
