import { describe, expect, test } from 'vitest'
import type { Layer } from '../../../../experiment/models/layers.ts'
import { architectureLayers } from '../../../../experiment/models/model.ts'
import { initialWeights, parameterSpecs } from '../../../../learning/model/parameters.ts'
import { parametersOf, predict } from '../../../../learning/model/predict.ts'
import { stream } from '../../../../learning/random.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { fisherInformation } from '../../../../unlearning/methods/fisher/squared-gradients.ts'
import { unlearn } from '../../../../unlearning/methods/fisher.ts'
import { gradientAt } from '../../../../unlearning/methods/shared/gradients.ts'
import { tinyVit } from '../../../support/tiny-checkpoint.ts'
import { context, deviceData, methodSpec, toyModels } from '../../../support/toy.ts'
import {
  gradientOf,
  linearData,
  linearLayers,
  linearWeights,
  probabilities,
  samples,
} from '../../../support/linear.ts'

const retained = Int32Array.of(0, 2, 3, 5)
const forget = Int32Array.of(1, 4)
const size = linearWeights.trained.length

async function fisher(options: Record<string, unknown>): Promise<Float32Array> {
  const data = linearData()
  const spec = methodSpec({ method: 'fisher', ...options })
  const { weights } = await unlearn(spec, { ...context(linearLayers, linearWeights, data), retained, forget })
  data.dispose()
  return weights.trained
}

/** E_{D_r} Σ_y p_y (∇ log p_y)², with gradients by hand. */
const information = Array.from({ length: size }, (_, i) => {
  const terms = [...retained].flatMap((n) => {
    const { x } = samples[n] as (typeof samples)[number]
    return probabilities(x).map((p, y) => p * (gradientOf(x, y)[i] ?? NaN) ** 2)
  })
  return terms.reduce((sum, term) => sum + term, 0) / retained.length
})

test.each([
  { alpha: 0.01, power: 1, ceiling: 1e6 },
  { alpha: 0.1, power: 0.5, ceiling: 1e6 },
  { alpha: 0.01, power: 1, ceiling: 5 },
])('the noise has the variance α·min(F^−p, c): %o', async ({ alpha, power, ceiling }) => {
  const theta = await fisher({ alpha, power, ceiling })
  const random = stream(1, 'fisher', 'noise')
  for (let i = 0; i < size; i++) {
    const deviation = Math.sqrt(alpha * Math.min((information[i] ?? NaN) ** -power, ceiling))
    const expected = (linearWeights.trained[i] ?? NaN) + deviation * random.normal()
    expect(Math.abs((theta[i] ?? NaN) - expected)).toBeLessThan(1e-4 * (1 + Math.abs(expected)))
  }
})

test('the forget set is never read', async () => {
  const data = linearData()
  const spec = methodSpec({ method: 'fisher', alpha: 0.01 })
  const given = { ...context(linearLayers, linearWeights, data), retained }
  const one = await unlearn(spec, { ...given, forget })
  expect(await unlearn(spec, { ...given, forget: Int32Array.of() })).toEqual(one)
  expect(one.metrics.samplesUsed).toEqual({ retained: 4, forget: 0 })
  data.dispose()
})

test('no more retained samples are used than asked for', async () => {
  expect(await fisher({ alpha: 0.01, samples: 2 })).not.toEqual(await fisher({ alpha: 0.01 }))
})

describe('the squared gradients of a batch are those of its samples one by one', () => {
  const vit = architectureLayers({ ...tinyVit, family: 'deit', image: [6, 6], patch: 2, channels: 1 }, 4)
  const strided: readonly Layer[] = [
    { kind: 'conv', name: 'a', in: 1, out: 3, kernel: 3, stride: 2, bias: true },
    { kind: 'conv', name: 'b', in: 3, out: 2, kernel: 2, stride: 1, padding: 1, bias: false },
    { kind: 'flatten', name: 'flatten' },
    { kind: 'linear', name: 'head', in: 32, out: 4, bias: false },
  ]
  const models = { cnn: toyModels.cnn, resnet: toyModels.resnet, vit, strided }

  test.each(Object.keys(models) as (keyof typeof models)[])('of a %s', async (name) => {
    const layers = models[name]
    const specs = parameterSpecs(layers)
    const random = stream(1, 'fisher test', name)
    // Every parameter and every statistic has a value of its own.
    const moved = (values: Float32Array) => values.map((value) => value + 0.2 * random.uniform())
    const initial = initialWeights(specs, random)
    const weights = { trained: moved(initial.trained), statistics: moved(initial.statistics) }
    const data = deviceData()
    const batch = Int32Array.of(0, 1, 2, 7)
    const parameters = parametersOf(layers, weights)
    const found = fisherInformation(layers, parameters, data)(batch)

    const gradient = gradientAt(layers, weights, data)
    const logits = await predict(layers, parameters, data, batch, batch.length)
    const p = tf.tensor2d(logits, [batch.length, 4]).softmax().arraySync()
    const expected = new Float64Array(weights.trained.length)
    for (const [n, index] of batch.entries()) {
      for (let y = 0; y < 4; y++) {
        const g = gradient(Int32Array.of(index), tf.tensor1d([y], 'int32')).dataSync()
        g.forEach((value, i) => (expected[i] = (expected[i] ?? NaN) + (p[n]?.[y] ?? NaN) * value ** 2))
      }
    }
    const values = found.dataSync()
    expect(values).toHaveLength(expected.length)
    const greatest = Math.max(...expected)
    expected.forEach((value, i) => {
      const difference = Math.abs((values[i] ?? NaN) - value)
      expect(difference, `parameter ${i}`).toBeLessThanOrEqual(1e-4 * value + 1e-8 * greatest)
    })
    data.dispose()
  })
})

test('the size of the batches changes the noise by rounding only', async () => {
  const [one, all] = [
    await fisher({ alpha: 0.01, batchSize: 1 }),
    await fisher({ alpha: 0.01, batchSize: 4 }),
  ]
  one.forEach((value, i) => expect(Math.abs(value - (all[i] ?? NaN))).toBeLessThan(1e-5))
})
