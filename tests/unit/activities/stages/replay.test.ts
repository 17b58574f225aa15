import { beforeAll, expect, test } from 'vitest'
import { specSchema } from '../../../../experiment/spec/spec.ts'
import { computePlan, type ComputedPlan } from '../../../support/computed-plan.ts'

/** A sample whose first batch is late in the first epoch, so that states before it are kept. */
const FORGOTTEN = 1001

const experiment = (training: object) =>
  specSchema.parse({
    name: 'replay',
    data: { name: 'digits' },
    split: { kind: 'indices', indices: [FORGOTTEN] },
    model: { name: 'mlp', hidden: [16] },
    training: { epochs: 2, batchSize: 64, ...training },
    gold: { models: 1 },
    methods: [{ method: 'original' }, { method: 'replay' }],
  })

let few: ComputedPlan
let many: ComputedPlan

beforeAll(async () => {
  few = await computePlan(experiment({ replay: { checkpoints: 1 } }))
  many = await computePlan(experiment({ replay: { checkpoints: 10 } }))
}, 120_000)

const replayOf = ({ plan, manifestOf }: ComputedPlan) =>
  manifestOf(plan.candidates.find(({ method }) => method === 'replay')?.unlearn)

test('more kept states change the repeated steps, and no byte of the original or of the result', async () => {
  const originals = await Promise.all([few, many].map(({ plan, manifestOf }) => manifestOf(plan.original)))
  expect(originals[0]?.outputs.model).toEqual(originals[1]?.outputs.model)
  const [one, other] = [await replayOf(few), await replayOf(many)]
  expect(one.outputs).toEqual(other.outputs)
  expect(one.outputs.model).not.toEqual(originals[0]?.outputs.model)
  expect(other.metrics.steps).toBeLessThan(one.metrics.steps)
})

test('the original keeps its first weights and the states, and no other model does', async () => {
  const { plan, manifestOf } = many
  const { outputs } = await manifestOf(plan.original)
  const names = Object.keys(outputs)
  expect(names.filter((name) => !name.startsWith('state.')).sort()).toEqual(['initial', 'model'])
  expect(names).toHaveLength(12)
  expect(Object.keys((await manifestOf(plan.gold[0])).outputs)).toEqual(['model'])
  expect(plan.gold[0]?.params).not.toHaveProperty('training.replay')
})
