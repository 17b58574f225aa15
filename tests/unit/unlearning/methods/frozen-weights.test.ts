import { beforeAll, expect, test } from 'vitest'
import { adaptableLayers, type Layer } from '../../../../experiment/models/layers.ts'
import type { BuiltInMethodName } from '../../../../experiment/spec/methods.ts'
import { trainingSchema } from '../../../../experiment/spec/training.ts'
import { fromScratch } from '../../../../activities/stages/from-scratch.ts'
import { parameterSpecs, unpackArrays, type Weights } from '../../../../learning/model/parameters.ts'
import { whitened } from '../../../../learning/model/whitening.ts'
import { stream } from '../../../../learning/random.ts'
import { loadMethod, type Unlearned } from '../../../../unlearning/method.ts'
import { methodNames, specOf } from '../../../support/method-behaviour.ts'
import { all, context, deviceData, methodSpec, retained } from '../../../support/toy.ts'

/** A small network with every kind of layer and every option of layers that airbench has. */
const layers: readonly Layer[] = [
  {
    ...{ kind: 'conv', name: 'whiten', in: 1, out: 8, kernel: 2, stride: 1, padding: 0 },
    ...{ bias: true, whitening: true },
  },
  { kind: 'gelu', name: 'gelu1', tanh: false },
  { kind: 'conv', name: 'conv', in: 8, out: 10, kernel: 3, stride: 1, bias: false, initial: 'identity' },
  { kind: 'max-pool', name: 'pool', size: 2, padding: 0 },
  { kind: 'batch-norm', name: 'conv.norm', channels: 10, scale: false, momentum: 0.6, epsilon: 1e-12 },
  { kind: 'gelu', name: 'gelu2', tanh: false },
  { kind: 'flatten', name: 'flatten' },
  {
    ...{ kind: 'linear', name: 'head', in: 40, out: 4 },
    ...{ bias: false, initial: 'uniform', initialScale: 1 / 9 },
  },
]
const training = trainingSchema.parse({
  epochs: 2.5,
  batchSize: 32,
  optimizer: { name: 'sgd', learningRate: 0.1, groups: [{ layers: ['*.norm'], rate: 2 }] },
  augment: { crop: 1, padding: 'reflect', flip: 'alternating' },
  lookahead: {},
})

const frozenOf = ({ statistics }: Weights) =>
  unpackArrays(parameterSpecs(layers).statistics, statistics)['whiten.weight']

async function trainedOn(indices: Int32Array): Promise<Weights> {
  const data = deviceData()
  const scratch = { layers, training, data, indices, seed: 1, purpose: 'train' }
  const { weights, steps } = await fromScratch(scratch)
  expect(steps).toBe(Math.round(2.5 * Math.floor(indices.length / 32)))
  data.dispose()
  return weights
}

let original: Weights
beforeAll(async () => {
  original = await trainedOn(all)
})

test('the whitening of a model comes from the samples that it is trained on', async () => {
  const data = deviceData()
  const random = () => stream(1, 'train', 'whitening')
  const expected = await whitened(layers, original, data, all, { random: random() })
  expect(frozenOf(original)).toEqual(frozenOf(expected))
  const gold = await trainedOn(retained)
  const withoutForgotten = await whitened(layers, gold, data, retained, { random: random() })
  expect(frozenOf(gold)).toEqual(frozenOf(withoutForgotten))
  expect(frozenOf(gold)).not.toEqual(frozenOf(original))
  data.dispose()
})

test('adapters leave out frozen weights', () => {
  expect(adaptableLayers(layers).map(({ name }) => name)).toEqual(['conv', 'head'])
})

/** Every method, and the target of rfa that refits the head, which has no bias here. */
const cases: readonly (readonly [string, BuiltInMethodName, unknown])[] = [
  ...methodNames.map((name) => [name, name, specOf(name)] as const),
  ['rfa, leave-out', 'rfa', methodSpec({ method: 'rfa', target: 'leave-out', rank: 2, steps: 5 })],
]

test.each(cases)('%s changes no frozen weights', async (_, name, spec) => {
  const run = (await loadMethod(name)) as (spec: unknown, context: unknown) => Promise<Unlearned>
  const data = deviceData()
  const { weights } = await run(spec, { ...context(layers, original, data), training })
  data.dispose()
  expect(weights.trained).not.toEqual(original.trained)
  expect(weights.trained.every(Number.isFinite)).toBe(true)
  expect(frozenOf(weights)).toEqual(frozenOf(original))
})
