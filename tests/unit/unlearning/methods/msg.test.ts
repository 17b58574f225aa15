import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parameterSpecs, unpackArrays } from '../../../../learning/model/parameters.ts'
import { smallest, unlearn } from '../../../../unlearning/methods/msg.ts'
import { context, deviceData, methodSpec, toyModels, trainedOriginal } from '../../../support/toy.ts'

const layers = toyModels.cnn
const original = trainedOriginal('cnn')

test('the smallest share of values is chosen, the first of equal ones', () => {
  expect([...smallest(Float32Array.of(3, 1, 2, 1, 1), 0.4)]).toEqual([1, 3])
  fc.assert(
    fc.property(
      fc.float32Array({ noNaN: true, minLength: 1 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, share) => {
        const chosen = new Set(smallest(values, share))
        expect(chosen.size).toBe(Math.round(share * values.length))
        const [inside, outside] = [true, false].map((is) => values.filter((_, i) => chosen.has(i) === is))
        if (inside?.length && outside?.length)
          expect(Math.max(...inside)).toBeLessThanOrEqual(Math.min(...outside))
      },
    ),
  )
})

test('the share of every convolution starts anew, and nothing else', async () => {
  const data = deviceData()
  const method = methodSpec({
    method: 'msg',
    share: 0.25,
    epochs: 0.01,
    optimizer: { name: 'sgd', learningRate: 1e-50 },
  })
  const { weights, metrics } = await unlearn(method, context(layers, original, data))
  data.dispose()
  const { trained: specs } = parameterSpecs(layers)
  const after = unpackArrays(specs, weights.trained)
  for (const [name, { shape, values }] of Object.entries(unpackArrays(specs, original.trained))) {
    const changed = values.filter((value, i) => value !== after[name]?.values[i]).length
    expect(changed).toBe(shape.length === 4 ? Math.round(0.25 * values.length) : 0)
  }
  expect(metrics.samplesUsed.forget).toBeGreaterThan(0)
})
