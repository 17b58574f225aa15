import { expect, test } from 'vitest'
import type { BuiltInMethodName } from '../../../experiment/spec/methods.ts'
import { tuneModel, type TuneSpec } from '../../../learning/training/tune.ts'
import { loadMethod } from '../../../unlearning/method.ts'
import {
  all,
  context,
  deviceData,
  methodSpec,
  toyModels,
  trainedOriginal,
  training,
} from '../../support/toy.ts'

const layers = toyModels.cnn
const original = trainedOriginal('cnn')
const data = deviceData()
const sgd = { name: 'sgd', learningRate: 0.01, momentum: 0 }
const step = () => Promise.resolve()

const distance = (one: Float32Array, other: Float32Array) =>
  Math.max(...one.map((value, i) => Math.abs(value - (other[i] ?? NaN))))

/**
 * All ways to train a student: whole models with several losses, and adapters with logits and with
 * features.
 */
test.each([
  { method: 'finetune', epochs: 0.5, optimizer: sgd },
  { method: 'neggrad-plus', epochs: 0.5, optimizer: sgd },
  { method: 'bad-teacher', epochs: 0.5, optimizer: sgd },
  { method: 'lora-neggrad-plus', rank: 2, layers: ['*'], epochs: 0.5, optimizer: sgd },
  { method: 'rfa', rank: 2, layers: ['*'], steps: 5, optimizer: sgd },
] as const)('$method in micro-batches unlearns the same within float error', async (options) => {
  const unlearn = await loadMethod<Exclude<BuiltInMethodName, 'sisa'>>(options.method)
  const [whole, cut] = await Promise.all(
    [1, 3].map((microBatches) =>
      unlearn(methodSpec(options), { ...context(layers, original, data), host: { microBatches, step } }),
    ),
  )
  expect(distance(whole?.weights.trained ?? new Float32Array(), original.trained)).toBeGreaterThan(1e-4)
  expect(
    distance(cut?.weights.trained ?? new Float32Array(), whole?.weights.trained ?? new Float32Array()),
  ).toBeLessThan(1e-5)
})

test('so does training a part of a pre-trained model', async () => {
  const tune: TuneSpec = { what: 'lora', rank: 2, alpha: 4, rslora: false, layers: ['*'] }
  const [whole, cut] = await Promise.all(
    [1, 3].map((microBatches) =>
      tuneModel(tune, {
        ...{ layers, initial: original, data, indices: all, training, seed: 1, purpose: 'part' },
        ...{ epochs: 0.5, batchSize: 32, schedule: { name: 'constant' } },
        optimizer: { name: 'sgd', learningRate: 0.01, momentum: 0, nesterov: false, weightDecay: 0 },
        host: { microBatches, step },
      }),
    ),
  )
  const [one, other] = [whole, cut].map((fitted) => fitted?.weights.trained ?? new Float32Array())
  expect(distance(one ?? new Float32Array(), original.trained)).toBeGreaterThan(1e-4)
  expect(distance(one ?? new Float32Array(), other ?? new Float32Array())).toBeLessThan(1e-5)
})
