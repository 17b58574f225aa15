import { expect, test } from 'vitest'
import { plan } from '../../../../experiment/plan/plan.ts'
import { replayCost } from '../../../../experiment/plan/replay-cost.ts'
import { keptSteps, trainingSteps } from '../../../../experiment/plan/training-steps.ts'
import type { DatasetFacts } from '../../../../experiment/spec/dataset.ts'
import { orderSchema } from '../../../../experiment/spec/replay.ts'
import { specSchema } from '../../../../experiment/spec/spec.ts'
import { TrainingBatches } from '../../../../learning/data/training-batches.ts'
import { sample, stream } from '../../../../learning/random.ts'

const facts: DatasetFacts = {
  ...{ name: 'digits', shape: [8, 8, 1], classes: ['a', 'b', 'c', 'd'], citation: '', sources: [] },
  ...{ train: [100, 100, 100, 100], test: [10, 10, 10, 10] },
}

function costOf(training: object, split: object = { kind: 'random', count: 3 }) {
  const spec = specSchema.parse({
    ...{ name: 'cost', data: { name: 'mnist' }, split, model: { name: 'mlp', hidden: [4] } },
    training: { epochs: 4, batchSize: 20, replay: { checkpoints: 4 }, ...training },
    methods: [{ method: 'replay' }],
  })
  const cost = replayCost(plan(spec, facts))
  if (!cost) throw new Error('there is a row of replay')
  return { cost, spec }
}

test.each([
  { title: 'the first epoch', late: 0, expected: [4, 8, 12, 16] },
  { title: 'the first epoch with late samples', late: 0.25, expected: [60, 65, 70, 75] },
])('the kept states divide $title', ({ late, expected }) => {
  const order = late > 0 ? orderSchema.parse({ name: 'risky-last', classes: [0], last: late }) : undefined
  const steps = trainingSteps({ epochs: 4, batchSize: 20, order }, 400)
  expect(keptSteps(steps, 4)).toEqual(expected)
})

test('the last share has a step at least', () => {
  const order = orderSchema.parse({ name: 'risky-last', classes: [0], last: 0.01 })
  expect(trainingSteps({ epochs: 1, batchSize: 100, order }, 400).lateFrom).toBe(3)
})

test('a short training keeps no state twice', () => {
  expect(keptSteps(trainingSteps({ epochs: 1, batchSize: 200 }, 400), 8)).toEqual([1])
})

test('a plan without a row of replay has no such cost', () => {
  const { spec } = costOf({})
  expect(replayCost(plan({ ...spec, methods: [{ method: 'original' }] }, facts))).toBeUndefined()
})

test.each([
  { title: 'one order', training: {}, count: 3 },
  {
    title: 'late samples',
    training: {
      order: { name: 'risky-last', indices: Array.from({ length: 100 }, (_, i) => i), last: 0.25 },
    },
    count: 3,
  },
])('the expectation is the mean over many orders: $title', ({ training, count }) => {
  const indices = Int32Array.from({ length: 400 }, (_, i) => i)
  const { cost, spec } = costOf(training, { kind: 'indices', indices: [0, 1, 2] })
  const { order } = spec.training ?? {}
  const late = order && { samples: Int32Array.from(order.indices ?? []), last: order.last }
  const meanShare = (forgotten: (seed: number) => Int32Array) => {
    const shares = Array.from({ length: 600 }, (_, seed) => {
      const batches = new TrainingBatches({ indices, batchSize: 20, epochs: 4, seed, purpose: 'train', late })
      const first = batches.firstStepWith(forgotten(seed)) ?? batches.steps
      const from = cost.keptSteps.filter((step) => step <= first).at(-1) ?? 0
      return 1 - from / batches.steps
    })
    return shares.reduce((sum, share) => sum + share, 0) / shares.length
  }
  const { forgetSet, oneSample } = cost.expectedShare
  expect(meanShare(() => indices.slice(0, count))).toBeCloseTo(forgetSet ?? NaN, 1.5)
  expect(meanShare((seed) => sample(indices, 1, stream(seed, 'one')))).toBeCloseTo(oneSample, 1.5)
})

test.each([
  { title: 'all late', classes: [1, 'c'], share: (value: number) => value <= 0.25 },
  { title: 'some early', classes: [1, 'd'], share: (value: number) => value === 1 },
])('of forgotten classes, $title', ({ classes, share }) => {
  const order = { name: 'risky-last', classes: ['b', 2], last: 0.25 }
  const { cost } = costOf({ order }, { kind: 'class', classes })
  expect(share(cost.expectedShare.forgetSet ?? NaN)).toBe(true)
})
