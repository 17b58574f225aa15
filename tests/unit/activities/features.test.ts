import { modelSchema } from '../../../experiment/spec/model.ts'
import { beforeAll, describe, expect, test } from 'vitest'
import { readWeights } from '../../../activities/runtime/device.ts'
import { readLogits } from '../../../activities/stages/logits.ts'
import type { Artifacts } from '../../../artifacts/artifacts.ts'
import type { Measured } from '../../../experiment/records/measured.ts'
import { layersOf } from '../../../experiment/models/model.ts'
import type { Plan } from '../../../experiment/plan/types.ts'
import { specSchema } from '../../../experiment/spec/spec.ts'
import { initialWeights, parameterSpecs } from '../../../learning/model/parameters.ts'
import { stream } from '../../../learning/random.ts'
import { zrf } from '../../../unlearning/metrics/zrf.ts'
import { computePlan, type ComputedPlan } from '../../support/computed-plan.ts'

/** A whole class is forgotten, which gold knows nothing of. */
const spec = specSchema.parse({
  name: 'features',
  data: { name: 'digits', test: 0.6 },
  split: { kind: 'class', classes: [3] },
  model: { name: 'mlp', hidden: [24] },
  training: { epochs: 15, batchSize: 64, optimizer: { name: 'adam', learningRate: 5e-3 } },
  gold: { models: 1 },
  relearn: { batchSize: 16, optimizer: { name: 'adam', learningRate: 1e-3 } },
  probe: {},
  methods: [{ method: 'original' }, { method: 'retrain' }],
})

let planned: Plan
let artifacts: Artifacts
let manifestOf: ComputedPlan['manifestOf']
beforeAll(async () => {
  ;({ plan: planned, artifacts, manifestOf } = await computePlan(spec))
}, 120_000)

const row = (label: string) => planned.candidates.find((one) => one.label === label)
const value = (measured: Measured | undefined) => (measured && 'value' in measured ? measured.value : NaN)

describe('the untrained twin', () => {
  test('has the weights that its stream gives, and took no step', async () => {
    const manifest = await manifestOf(planned.twin?.model)
    expect(manifest.metrics).toMatchObject({ steps: 0, curve: [] })
    const { facts } = (await manifestOf(planned.dataset)).params
    const layers = layersOf(modelSchema.parse(spec.model), facts.shape, facts.classes.length)
    const expected = initialWeights(parameterSpecs(layers), stream(1, 'twin', 'weights'))
    expect((await readWeights(artifacts, manifest, layers)).trained).toEqual(expected.trained)
  })

  test('is what ZRF is measured against', async () => {
    const twin = (await readLogits(artifacts, await manifestOf(planned.twin?.evaluate))).forget
    for (const label of ['original', 'retrain']) {
      const own = (await readLogits(artifacts, await manifestOf(row(label)?.evaluate))).forget
      const { metrics } = await manifestOf(row(label)?.compare)
      expect(metrics.zrf).toEqual(zrf(own, twin))
      expect(value(metrics.zrf)).toBeGreaterThan(0)
      expect(value(metrics.zrf)).toBeLessThan(1)
    }
  })
})

describe('relearning', () => {
  test('takes the original no step and gold, which never saw the class, some', async () => {
    const { metrics: original } = await manifestOf(row('original')?.relearn)
    const { metrics: gold } = await manifestOf(row('retrain')?.relearn)
    expect(original.steps).toEqual({ value: 0 })
    expect(value(gold.steps)).toBeGreaterThan(1)
    expect(gold.curve[0]).toEqual({ step: 0, accuracy: 0 })
    expect(gold.curve.at(-1)).toMatchObject({ step: value(gold.steps) })
    expect(gold.wanted).toBe(original.wanted)
  })
})

describe('probes', () => {
  test('find the class in the features of the original, and in those of gold, which has none of its outputs', async () => {
    const accuracyOf = async (label: string) => {
      const { metrics } = await manifestOf(row(label)?.probe)
      return metrics.layers.map(({ accuracy }) => value(accuracy))
    }
    const [original, gold] = [await accuracyOf('original'), await accuracyOf('retrain')]
    expect(original).toHaveLength(2)
    // 31 samples, of ten classes.
    for (const accuracy of original) expect(accuracy).toBeGreaterThan(75)
    const [hidden, head] = gold
    expect(hidden).toBeGreaterThan(60)
    expect(head).toBeGreaterThan(20)
    expect(head).toBeLessThan((original[1] ?? NaN) - 20)
  })

  test('find gold alike to itself, and the original less', async () => {
    const { metrics: gold } = await manifestOf(row('retrain')?.probe)
    const { metrics: original } = await manifestOf(row('original')?.probe)
    for (const { cka } of gold.layers) expect(value(cka.forget)).toBeCloseTo(1, 4)
    for (const { cka } of original.layers) {
      expect(value(cka.forget)).toBeLessThan(0.99)
      expect(value(cka.retained)).toBeGreaterThan(0.5)
    }
  })
})
