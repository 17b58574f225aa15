import { expect } from 'vitest'
import { DeviceData } from '../../../../learning/data/device-data.ts'
import { klDivergence } from '../../../../learning/training/losses.ts'
import { initialWeights, parameterSpecs, type Weights } from '../../../../learning/model/parameters.ts'
import { parametersOf, predict } from '../../../../learning/model/predict.ts'
import { sample, stream } from '../../../../learning/random.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { unlearn } from '../../../../unlearning/methods/bad-teacher.ts'
import { test } from '../../../support/device-data.ts'
import {
  context,
  deviceData,
  forget,
  labels,
  methodSpec,
  pictures,
  retained,
  toyModels,
  trainedOriginal,
} from '../../../support/toy.ts'

const layers = toyModels.resnet
const original = trainedOriginal('resnet')

const spec = methodSpec({
  method: 'bad-teacher',
  epochs: 12,
  batchSize: 32,
  optimizer: { name: 'adam', learningRate: 5e-3 },
})

/** Mean KL(teacher ‖ student) over some samples. */
async function divergence(teacher: Weights, student: Weights, indices: Int32Array): Promise<number> {
  const data = deviceData()
  const logits = async (weights: Weights) => {
    const parameters = parametersOf(layers, weights)
    const values = await predict(layers, parameters, data, indices, 128)
    tf.dispose(parameters)
    return tf.tensor2d(values, [indices.length, 4])
  }
  const [value = NaN] = await klDivergence(await logits(teacher), await logits(student)).data()
  data.dispose()
  return value
}

test('the student follows the incompetent teacher on D_f and the competent one on D_r', async ({ data }) => {
  const { weights } = await unlearn(spec, context(layers, original, data))
  const incompetent = initialWeights(parameterSpecs(layers), stream(1, 'bad-teacher', 'incompetent'))
  const before = await divergence(incompetent, original, forget)
  expect(await divergence(incompetent, weights, forget)).toBeLessThan(0.2 * before)
  expect(await divergence(original, weights, retained)).toBeLessThan(
    0.2 * (await divergence(incompetent, weights, retained)),
  )
})

test('of D_r only the drawn share is read, and labels never', async ({ data }) => {
  const drawn = sample(retained, 90, stream(1, 'bad-teacher', 'retained'))
  const images = pictures()
  for (const i of retained) if (!drawn.includes(i)) images.fill(0, 36 * i, 36 * (i + 1))
  const others = new DeviceData(
    images,
    labels.map((label) => (label + 1) % 4),
    { shape: [6, 6, 1], classes: 4, mean: [105], deviation: [48] },
  )
  const expected = await unlearn(spec, context(layers, original, data))
  expect(expected.metrics.samplesUsed).toEqual({ retained: 90, forget: 100 })
  expect(await unlearn(spec, context(layers, original, others))).toEqual(expected)
  others.dispose()
})
