import { describe, expect, test } from 'vitest'
import { createActivities } from '../../../../activities/index.ts'
import { readSplit } from '../../../../activities/runtime/blob-codecs.ts'
import { changedCode, codeNames } from '../../../../activities/runtime/code-digests.ts'
import { readLogits } from '../../../../activities/stages/logits.ts'
import { meanGap } from '../../../../experiment/records/mean-gap.ts'
import type { ManifestOf } from '../../../../experiment/records/manifest.ts'
import { ref, stageMaker } from '../../../../experiment/plan/stage-maker.ts'
import type { TuningSeed } from '../../../../experiment/plan/types.ts'
import type { ApproximateMethodSpec } from '../../../../experiment/spec/methods.ts'
import { specSchema, trainedHere, type Spec } from '../../../../experiment/spec/spec.ts'
import type { StageKind, StageOf } from '../../../../experiment/stages/stage.ts'
import type { Logits } from '../../../../unlearning/metrics/logits.ts'
import { quietEnvironment } from '../../../support/activity-environment.ts'
import { computePlan, type ComputedPlan } from '../../../support/computed-plan.ts'

const specOf = (split: object, methods: readonly object[], tune: object = {}): Spec =>
  specSchema.parse({
    name: 'tuned',
    data: { name: 'digits', validation: 0.15 },
    split,
    model: { name: 'mlp', hidden: [16] },
    training: { epochs: 3, batchSize: 64 },
    gold: { models: 1 },
    tune: { trials: 3, ...tune },
    methods,
  })
const finetune = { method: 'finetune', epochs: 2 }
const randomLabel = { method: 'random-label', epochs: 2 }

/** Whether the greatest logit of each sample is that of its label. */
function isRight({ values, labels, classes }: Logits): readonly boolean[] {
  return Array.from(labels, (label, i) => {
    const row = Array.from(values.subarray(i * classes, (i + 1) * classes))
    return row.indexOf(Math.max(...row)) === label
  })
}

const percentOf = (right: readonly boolean[]) => (100 * right.filter(Boolean).length) / right.length

/** The validation gap by its formula, from the logits of whole evaluations. */
function gapOf(
  unlearned: Readonly<Record<string, Logits>>,
  original: Readonly<Record<string, Logits>>,
): number {
  const of = (logits: Readonly<Record<string, Logits>>, set: string): Logits => {
    const found = logits[set]
    if (!found) throw new Error(set)
    return found
  }
  const validation = of(unlearned, 'validation')
  const right = isRight(validation)
  const forget = of(unlearned, 'forget')
  const unseen = Array.from(forget.labels, (label) => {
    const alike = right.filter((_, i) => validation.labels[i] === label)
    return alike.length === 0 ? 0 : percentOf(alike)
  })
  const difference = (set: string) =>
    Math.abs(percentOf(isRight(of(unlearned, set))) - percentOf(isRight(of(original, set))))
  const mean = unseen.reduce((sum, one) => sum + one, 0) / unseen.length
  return (Math.abs(percentOf(isRight(forget)) - mean) + difference('retained') + difference('validation')) / 3
}

/** Computes the gap of a variant by the stages `unlearn` and `evaluate` instead of a trial. */
async function gapBesides(
  { plan, artifacts }: ComputedPlan,
  spec: Spec,
  seed: TuningSeed,
  method: ApproximateMethodSpec,
  unlearning: number,
): Promise<number> {
  const trained = trainedHere(spec)
  if (!trained) throw new Error('the model is external')
  const make = stageMaker(await changedCode(codeNames))
  const activities = createActivities()
  const run = async <K extends StageKind>(stage: StageOf<K>): Promise<ManifestOf<K>> => {
    const activity = activities[stage.kind] as (task: object) => Promise<object>
    await quietEnvironment().run(activity, { stage, settings: { store: artifacts.store.url } })
    return (await artifacts.manifest(stage)) as unknown as ManifestOf<K>
  }
  const data = { dataset: ref(plan.dataset), split: ref(seed.split) }
  const unlearn = make(
    'unlearn',
    'unlearn besides',
    { method, ...trained, seed: unlearning },
    { ...data, original: ref(seed.original) },
  )
  await run(unlearn)
  const evaluation = await run(
    make(
      'evaluate',
      'evaluate besides',
      { model: trained.model, batchSize: 100 },
      { ...data, model: ref(unlearn) },
    ),
  )
  const original = await run(seed.originalEvaluation)
  return gapOf(await readLogits(artifacts, evaluation), await readLogits(artifacts, original))
}

describe('a tuned experiment', () => {
  test.each<[string, object]>([
    ['a class', { kind: 'class', classes: [3] }],
    ['random samples', { kind: 'random', fraction: 0.1 }],
  ])('of %s takes the variant of the least gap', async (_, split) => {
    const spec = specOf(split, [
      finetune,
      { ...randomLabel, tune: false },
      { ...randomLabel, label: 'tuned' },
    ])
    const computed = await computePlan(spec)
    const { plan, manifestOf } = computed
    const { seeds = [], rows = [] } = plan.tuning ?? {}
    expect(rows.map(({ label }) => label)).toEqual(['finetune', 'tuned'])
    for (const { label, rounds } of rows) {
      const { ranking } = (await manifestOf(rounds.at(-1)?.ranking)).metrics
      const gaps = await Promise.all(
        ranking.map(async ({ method, gaps }) => {
          const found: number[] = []
          // Two of the three variants were tried on the second seed.
          for (const [i, seed] of seeds.slice(0, gaps.length).entries())
            found.push(await gapBesides(computed, spec, seed, method, 1_000_001 + i))
          return found
        }),
      )
      expect(ranking.map((variant) => variant.gaps)).toEqual(
        gaps.map((own) => own.map((value) => ({ value: expect.closeTo(value, 8) as number }))),
      )
      expect(gaps.map(({ length }) => length).sort()).toEqual([1, 2, 2])
      const [best, second] = ranking.map((variant) => meanGap(variant.gaps) ?? NaN)
      expect(best).toBeLessThanOrEqual(second ?? NaN)

      // The row's model is that of an experiment with the chosen options as written.
      const row = plan.candidates.find((candidate) => candidate.label === label)
      const written = specOf(split, [{ ...ranking[0]?.method, label, tune: false }])
      const again = await computePlan(written)
      const [own, other] = [
        await manifestOf(row?.unlearn),
        await again.manifestOf(again.plan.candidates[0]?.unlearn),
      ]
      expect(own.outputs).toEqual(other.outputs)
      expect(own.metrics).toEqual(other.metrics)
    }
  })

  test('forgets no sample in its tuning that the comparison forgets', async () => {
    for (const split of [
      { kind: 'random', fraction: 0.45 },
      { kind: 'class-fraction', classes: [1, 2], fraction: 0.4 },
      { kind: 'hard', by: 'highest-loss', fraction: 0.1 },
      { kind: 'class', classes: [1, 2] },
    ]) {
      const { plan, artifacts, manifestOf } = await computePlan(
        specOf(split, [{ method: 'gradient-ascent', epochs: 1 }], { trials: 2, seeds: 1 }),
      )
      const compared = await readSplit(artifacts, await manifestOf(plan.split))
      const own = await readSplit(artifacts, await manifestOf(plan.tuning?.seeds[0]?.split))
      expect([...own.forget].filter((i) => compared.forget.includes(i))).toEqual([])
      if (split.kind !== 'class') expect(own.forget).toHaveLength(compared.forget.length)
      expect([...own.forget, ...own.retained].sort()).toEqual(
        [...compared.forget, ...compared.retained].sort(),
      )
      expect(own.validation.length).toBeGreaterThan(0)
    }
  })

  test('keeps no model of a trial, and evaluates it on no test sample', async () => {
    const { plan, manifestOf } = await computePlan(
      specOf({ kind: 'random', fraction: 0.1 }, [finetune], { trials: 2, seeds: 1 }),
    )
    const trial = await manifestOf(plan.tuning?.rows[0]?.rounds[0]?.trials[1])
    expect(trial.outputs).toEqual({})
    expect(Object.keys(trial.metrics.accuracy ?? {}).sort()).toEqual(['forget', 'retained', 'validation'])
    expect(trial.metrics.steps).toBeGreaterThan(0)
    expect(Object.keys(trial.inputs).sort()).toEqual(['dataset', 'original', 'originalEvaluation', 'split'])
  })

  const diverging = (rates: readonly number[]) => ({
    ...finetune,
    optimizer: { name: 'sgd', learningRate: 0.01 },
    tune: { trials: 4, space: { 'optimizer.learningRate': { choices: rates } } },
  })

  test('ranks a variant that diverges last, with the reason', async () => {
    const { plan, manifestOf } = await computePlan(
      specOf({ kind: 'random', fraction: 0.1 }, [diverging([1e30])], { seeds: 1 }),
    )
    const { ranking } = (await manifestOf(plan.tuning?.rows[0]?.rounds[0]?.ranking)).metrics
    expect(ranking.map(({ variant }) => variant)).toEqual([0, 1, 2, 3])
    expect(ranking[3]?.gaps).toEqual([{ missing: expect.stringContaining('training diverged') as string }])
  })

  test('fails for the row if every variant diverges', async () => {
    const all = { ...diverging([1e30]), optimizer: { name: 'sgd', learningRate: 1e30 } }
    await expect(computePlan(specOf({ kind: 'random', fraction: 0.1 }, [all], { seeds: 1 }))).rejects.toThrow(
      /all 4 variants failed: training diverged/,
    )
  })
})
