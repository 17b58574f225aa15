import { expect, test } from 'vitest'
import { unlearn as finetune } from '../../../../unlearning/methods/finetune.ts'
import { unlearn as gradientAscent } from '../../../../unlearning/methods/gradient-ascent.ts'
import { unlearn } from '../../../../unlearning/methods/neggrad-plus.ts'
import {
  accuracyOn,
  context,
  deviceData,
  forget,
  methodSpec,
  retained,
  toyModels,
  trainedOriginal,
} from '../../../support/toy.ts'

const layers = toyModels.resnet
const original = trainedOriginal('resnet')

/** One step of plain gradient descent on whole sets: the order of samples does not matter then. */
const wholeSets = {
  epochs: 1,
  batchSize: 400,
  optimizer: { name: 'sgd', learningRate: 0.1, momentum: 0 },
}
const largest = (values: Float32Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)

test.each([
  ['α = 1 is fine-tuning on D_r', 1, () => finetune, 'finetune'],
  ['α = 0 is gradient ascent on D_f', 0, () => gradientAscent, 'gradient-ascent'],
] as const)('%s', async (_, alpha, other, name) => {
  const data = deviceData()
  const start = original.trained
  const run = other() as (spec: unknown, context: unknown) => ReturnType<typeof unlearn>
  const expected = await run(methodSpec({ method: name, ...wholeSets }), context(layers, original, data))
  const actual = await unlearn(
    methodSpec({ method: 'neggrad-plus', alpha, ...wholeSets }),
    context(layers, original, data),
  )
  data.dispose()
  expect(actual.metrics.steps).toBe(1)
  const step = largest(expected.weights.trained.map((value, i) => value - (start[i] ?? NaN)))
  const difference = largest(
    actual.weights.trained.map((value, i) => value - (expected.weights.trained[i] ?? NaN)),
  )
  expect(step).toBeGreaterThan(0)
  expect(difference).toBeLessThan(1e-3 * step + 1e-6)
})

test('a smaller α forgets more, and D_r is kept', async () => {
  const accuracies = []
  for (const alpha of [0.95, 0.8]) {
    const data = deviceData()
    const spec = methodSpec({ method: 'neggrad-plus', alpha, epochs: 3, batchSize: 32 })
    const { weights } = await unlearn(spec, context(layers, original, data))
    accuracies.push(await accuracyOn(forget, layers, weights, data))
    expect(await accuracyOn(retained, layers, weights, data)).toBeGreaterThan(85)
    data.dispose()
  }
  const [mild = NaN, strong = NaN] = accuracies
  expect(strong).toBeLessThan(50)
  expect(strong).toBeLessThan(mild)
})
