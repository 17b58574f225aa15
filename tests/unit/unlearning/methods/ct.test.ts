import { expect, test } from 'vitest'
import { parameterSpecs, unpackArrays } from '../../../../learning/model/parameters.ts'
import { unlearn } from '../../../../unlearning/methods/ct.ts'
import { context, deviceData, methodSpec, toyModels, trainedOriginal } from '../../../support/toy.ts'
import { checkProblems, edited } from '../../experiment/sample.ts'

const layers = toyModels.cnn
const original = trainedOriginal('cnn')
const { trained: specs } = parameterSpecs(layers)

/** The weights before fine-tuning, but for a rate that moves nothing. */
async function transposed(weights = original) {
  const data = deviceData()
  const method = methodSpec({
    method: 'ct',
    epochs: 0.01,
    optimizer: { name: 'sgd', learningRate: 1e-50 },
  })
  const result = await unlearn(method, context(layers, weights, data))
  data.dispose()
  return result.weights
}

test('swaps height and width of every kernel and leaves the other weights', async () => {
  const before = unpackArrays(specs, original.trained)
  const after = unpackArrays(specs, (await transposed()).trained)
  for (const [name, { shape, values }] of Object.entries(before)) {
    const [k = 0, , into = 0, out = 0] = shape
    const at = (i: number, j: number, c: number) => values[(i * k + j) * into * out + c]
    const swapped = Float32Array.from(values, (_, p) => {
      const position = Math.floor(p / (into * out))
      return at(position % k, Math.floor(position / k), p % (into * out)) ?? NaN
    })
    expect(after[name]?.values).toEqual(shape.length === 4 ? swapped : values)
  }
})

test('swapping twice gives the original', async () => {
  expect(await transposed(await transposed())).toEqual(original)
})

test.each(['ct', 'msg'])('%s is refused for a model without convolutions', (name) => {
  const config = edited('- method: original', `- method: ${name}`)
  expect(checkProblems(config)).toMatchObject([
    {
      path: 'methods[0].method',
      message: `${name} changes the kernels of convolutions, and the model mlp has none; choose another model, or leave ${name} out`,
    },
  ])
})
