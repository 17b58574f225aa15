import { beforeAll, describe, expect, test } from 'vitest'
import { readLogits } from '../../../../activities/stages/logits.ts'
import type { Artifacts } from '../../../../artifacts/artifacts.ts'
import type { Measured } from '../../../../experiment/records/measured.ts'
import type { Plan } from '../../../../experiment/plan/types.ts'
import { specSchema } from '../../../../experiment/spec/spec.ts'
import { agreementSets } from '../../../../experiment/stages/agreement.ts'
import { agreement } from '../../../../unlearning/population/agreement.ts'
import { margins } from '../../../../unlearning/population/margin.ts'
import { computePlan, type ComputedPlan } from '../../../support/computed-plan.ts'

/** A random tenth is forgotten by models that memorise their training samples. */
const spec = specSchema.parse({
  name: 'judges',
  data: { name: 'digits', test: 0.6, validation: 0.1 },
  split: { kind: 'random', fraction: 0.2 },
  model: { name: 'mlp', hidden: [48] },
  training: { epochs: 40, batchSize: 32, optimizer: { name: 'adam', learningRate: 5e-3 } },
  gold: { models: 2 },
  shadow: { models: 8 },
  ruli: { select: 0.5 },
  agreement: {},
  features: { samples: 60 },
  methods: [{ method: 'original' }, { method: 'retrain' }],
})

let planned: Plan
let artifacts: Artifacts
let manifestOf: ComputedPlan['manifestOf']
beforeAll(async () => {
  ;({ plan: planned, artifacts, manifestOf } = await computePlan(spec))
}, 120_000)

const row = (label: string) =>
  [...planned.candidates, ...planned.floor].find((one) => one.label === label) ??
  expect.fail(`there is no row ${label}`)
const value = (measured: Measured | undefined) => (measured && 'value' in measured ? measured.value : NaN)

describe('the attack on vulnerable samples', () => {
  test('attacks half of the forget set and half of the test samples by half of the shadow models', async () => {
    const { metrics } = await manifestOf(row('original').ruli)
    const { forget, attackTest, test: tested } = (await manifestOf(planned.split)).metrics
    expect(metrics.models).toEqual({ selecting: 4, attacking: 4 })
    expect(metrics.variance).toEqual({ selecting: 'pooled', attacking: 'pooled' })
    expect(metrics.samples.all).toMatchObject({ members: forget, nonMembers: attackTest + tested })
    expect(metrics.samples.vulnerable).toMatchObject({
      members: Math.round(forget / 2),
      nonMembers: Math.round((attackTest + tested) / 2),
    })
  })

  test('finds more of the forget set in the original than in gold, and most among vulnerable samples', async () => {
    const aucs = async (label: string) => {
      const { samples } = (await manifestOf(row(label).ruli)).metrics
      const of = (name: 'vulnerable' | 'all') => value(samples[name].attacks.kernel.auc)
      return { vulnerable: of('vulnerable'), all: of('all') }
    }
    const [original, gold] = [await aucs('original'), await aucs('retrain')]
    expect(original.vulnerable - gold.vulnerable).toBeGreaterThan(0.05)
    expect(original.vulnerable).toBeGreaterThan(original.all)
  })
})

describe('the agreement with gold', () => {
  test('is that of the stored margins, complete for gold itself and not for another gold model', async () => {
    const gold = await readLogits(artifacts, await manifestOf(planned.reference?.evaluate))
    for (const label of ['original', 'retrain', 'retrain, seed 2']) {
      const own = await readLogits(artifacts, await manifestOf(row(label).evaluate))
      const { metrics } = await manifestOf(row(label).agreement)
      for (const set of agreementSets)
        expect(metrics[set]).toEqual(agreement(margins(own[set]), margins(gold[set])))
      const { rank, variance } = metrics.forget
      if (label === 'retrain') expect([rank, variance]).toEqual([{ value: 1 }, { value: 1 }])
      else expect(value(rank)).toBeLessThan(0.99)
    }
  })
})

describe('the feature distance', () => {
  test('is 0 for gold itself and positive for another gold model, on as many samples as were asked for', async () => {
    const { metrics: gold } = await manifestOf(row('retrain').features)
    const { metrics: other } = await manifestOf(row('retrain, seed 2').features)
    expect(other.compared).toEqual({ forget: 60, retained: 60 })
    expect(other.layers.map(({ name }) => name)).toEqual(['linear1', 'head'])
    for (const { distance } of gold.layers) expect(value(distance.forget)).toBeCloseTo(0, 4)
    for (const { distance } of other.layers) {
      expect(value(distance.forget)).toBeGreaterThan(0.01)
      expect(value(distance.retained)).toBeGreaterThan(0.01)
    }
  })
})
