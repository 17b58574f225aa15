import { beforeAll, expect, test } from 'vitest'
import type { Measured } from '../../../../experiment/records/measured.ts'
import { specSchema } from '../../../../experiment/spec/spec.ts'
import { computePlan, type ComputedPlan } from '../../../support/computed-plan.ts'

const experiment = (training: object) =>
  specSchema.parse({
    name: 'accuracy',
    data: { name: 'digits', validation: 0.1 },
    split: { kind: 'class', classes: [3] },
    model: { name: 'mlp', hidden: [16] },
    training: { epochs: 2, batchSize: 64, ...training },
    gold: { models: 1 },
    methods: [{ method: 'original' }, { method: 'retrain' }],
  })

let plain: ComputedPlan
let measured: ComputedPlan

beforeAll(async () => {
  plain = await computePlan(experiment({}))
  measured = await computePlan(experiment({ accuracy: { samples: 100_000 } }))
}, 120_000)

const modelsOf = async ({ plan, manifestOf }: ComputedPlan) => ({
  original: await manifestOf(plan.original),
  gold: await manifestOf(plan.gold[0]),
})

/** The evaluation of a model after its training, which has code of its own. */
async function evaluated(method: 'original' | 'retrain') {
  const { plan, manifestOf } = measured
  const { metrics } = await manifestOf(plan.candidates.find((one) => one.method === method)?.evaluate)
  return metrics.accuracy
}

const valueOf = (figure: Measured | undefined) => (figure && 'value' in figure ? figure.value : NaN)

test('the models have the same bytes, and accuracies after both epochs', async () => {
  const [without, models] = [await modelsOf(plain), await modelsOf(measured)]
  for (const name of ['original', 'gold'] as const) {
    expect(models[name].outputs).toEqual(without[name].outputs)
    expect(models[name].key).not.toBe(without[name].key)
    expect(models[name].metrics.accuracy?.map(({ epoch }) => epoch)).toEqual([1, 2])
    const { accuracy: _, ...rest } = models[name].metrics
    expect(rest).toEqual(without[name].metrics)
  }
})

test('gold is measured on the samples that it is trained on, and on validation samples of their classes', async () => {
  const last = (await modelsOf(measured)).gold.metrics.accuracy?.at(-1)
  const { retained, validation } = await evaluated('retrain')
  expect(valueOf(last?.training)).toBeCloseTo(valueOf(retained), 10)
  expect(valueOf(last?.validation)).toBeCloseTo(valueOf(validation), 10)
})

test('the original is measured on all training samples, and on validation samples of all classes', async () => {
  const { plan, manifestOf } = measured
  const { metrics: sizes } = await manifestOf(plan.split)
  const { metrics: data } = await manifestOf(plan.dataset)
  const last = (await modelsOf(measured)).original.metrics.accuracy?.at(-1)
  const { retained, forget } = await evaluated('original')
  const right = (valueOf(retained) * sizes.retained + valueOf(forget) * sizes.forget) / 100
  expect(valueOf(last?.training)).toBeCloseTo((100 * right) / data.train, 10)
  // A whole number of all validation samples is right, which those of nine classes are fewer than.
  expect(data.validation).toBeGreaterThan(sizes.validation)
  const correct = (valueOf(last?.validation) * data.validation) / 100
  expect(correct).toBeCloseTo(Math.round(correct), 8)
})

test('fewer samples are drawn once, and give another figure of the same model', async () => {
  const { plan, manifestOf } = await computePlan(experiment({ accuracy: { every: 2, samples: 40 } }))
  const { accuracy } = (await manifestOf(plan.original)).metrics
  expect(accuracy?.map(({ epoch }) => epoch)).toEqual([2])
  const right = (valueOf(accuracy?.[0]?.training) * 40) / 100
  expect(right).toBeCloseTo(Math.round(right), 8)
})
