import { expect, test } from 'vitest'
import { plan } from '../../../../experiment/plan/plan.ts'
import { stagesOf } from '../../../../experiment/stages/stage-list.ts'
import { specSchema } from '../../../../experiment/spec/spec.ts'
import { facts } from '../../report/fixtures.ts'

const training = { epochs: 2, batchSize: 64 }
const planned = (sections: object = {}) =>
  plan(
    specSchema.parse({
      ...{
        name: 'accuracy',
        data: { name: 'digits', validation: 0.1 },
        model: { name: 'mlp', hidden: [16] },
      },
      ...{
        split: { kind: 'random', fraction: 0.1 },
        gold: { models: 2 },
        shadow: { models: 8 },
        relearn: {},
      },
      training,
      tune: { seeds: 1 },
      methods: [
        { method: 'finetune', epochs: 1, tune: { trials: 2 } },
        { method: 'rfa', layers: ['head'] },
      ],
      ...sections,
    }),
    facts,
  )

const accuracy = { every: 2, samples: 100 }

test('only the original and the gold models are asked for it, whatever else is trained', () => {
  const all = planned({ training: { ...training, accuracy } })
  const asked = stagesOf(all).filter(({ params }) => JSON.stringify(params).includes('"accuracy":{"every"'))
  expect(asked.map(({ title }) => title)).toEqual(['train original', 'train gold', 'train gold, seed 2'])
  for (const { params } of asked) expect(params).toHaveProperty('training.accuracy', accuracy)
  const plain = planned()
  const keyOf = (of: typeof plain, title: string) => stagesOf(of).find((stage) => stage.title === title)?.key
  for (const title of ['train shadow 1', 'initialise twin', 'train original, tuning seed 1'])
    expect(keyOf(all, title)).toBe(keyOf(plain, title))
  expect(keyOf(all, 'train original')).not.toBe(keyOf(plain, 'train original'))
})

test("gold's own training says whether gold is measured", () => {
  const gold = { models: 1, training }
  const originalAlone = planned({ training: { ...training, accuracy }, gold })
  expect(originalAlone.original.params).toHaveProperty('training.accuracy')
  expect(originalAlone.gold[0]?.params).not.toHaveProperty('training.accuracy')
  const goldAlone = planned({ gold: { ...gold, training: { ...training, accuracy: {} } } })
  expect(goldAlone.original.params).not.toHaveProperty('training.accuracy')
  expect(goldAlone.gold[0]?.params).toHaveProperty('training.accuracy', { every: 1, samples: 1000 })
})

test('the original whose ranking a hard split needs is the one that is measured', () => {
  const hard = planned({
    training: { ...training, accuracy },
    ...{ split: { kind: 'hard', by: 'highest-loss', fraction: 0.1 }, methods: [{ method: 'original' }] },
  })
  expect(hard.ranking?.inputs.model.key).toBe(hard.original.key)
})
