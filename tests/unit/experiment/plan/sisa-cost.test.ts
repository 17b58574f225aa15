import { expect, test } from 'vitest'
import { plan } from '../../../../experiment/plan/plan.ts'
import { sisaCosts, sliceEpochs } from '../../../../experiment/plan/sisa-cost.ts'
import type { DatasetFacts } from '../../../../experiment/spec/dataset.ts'
import { specSchema } from '../../../../experiment/spec/spec.ts'
import { permutation, stream } from '../../../../learning/random.ts'

const facts: DatasetFacts = {
  ...{ name: 'digits', shape: [8, 8, 1], classes: ['a', 'b', 'c', 'd'], citation: '', sources: [] },
  ...{ train: [100, 100, 100, 100], test: [10, 10, 10, 10] },
}

const planOf = (split: object, methods: readonly object[]) =>
  plan(
    specSchema.parse({
      ...{ name: 'cost', data: { name: 'mnist' }, split, model: { name: 'mlp', hidden: [4] }, methods },
      training: { epochs: 4, batchSize: 20 },
    }),
    facts,
  )

test.each([
  { count: 1, shards: 4, slices: 1 },
  { count: 3, shards: 4, slices: 2 },
  { count: 10, shards: 2, slices: 5 },
])('the expectation is the mean over many divisions: %o', ({ count, shards, slices }) => {
  const [cost] = sisaCosts(planOf({ kind: 'random', count }, [{ method: 'sisa', shards, slices }]))
  const draws = 1500
  let repeated = 0
  for (let draw = 0; draw < draws; draw++) {
    const place = permutation(400, stream(draw, 'division'))
    const parts = Array.from({ length: count }, (_, i) =>
      Math.floor(((place[i] ?? 0) * shards * slices) / 400),
    )
    for (let shard = 0; shard < shards; shard++) {
      const own = parts.filter((part) => Math.floor(part / slices) === shard).map((part) => part % slices)
      for (let slice = Math.min(...own); slice < slices; slice++) repeated += slice + 1
    }
  }
  const whole = (shards * slices * (slices + 1)) / 2
  expect(cost?.expectedShare.forgetSet).toBeCloseTo(repeated / draws / whole, 1)
  expect(Math.abs((cost?.expectedShare.forgetSet ?? 0) - repeated / draws / whole)).toBeLessThan(0.02)
})

test('one sample costs a shard of one slice', () => {
  const [cost] = sisaCosts(planOf({ kind: 'random', count: 2 }, [{ method: 'sisa', shards: 5, slices: 1 }]))
  expect(cost?.expectedShare.oneSample).toBeCloseTo(1 / 5, 12)
})

test('all trainings of a shard read as many samples as one training', () => {
  for (const slices of [1, 2, 7]) {
    const parts = Array.from({ length: slices }, (_, i) => (i + 1) / slices)
    expect(parts.reduce((sum, share) => sum + share * sliceEpochs(12, slices), 0)).toBeCloseTo(12, 9)
  }
})

test('a plan without a row of sisa has no such cost', () => {
  expect(sisaCosts(planOf({ kind: 'random', count: 2 }, [{ method: 'original' }]))).toEqual([])
})
