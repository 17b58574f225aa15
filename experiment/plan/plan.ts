import { checkpointOf } from '../models/model.ts'
import type { DatasetFacts } from '../spec/dataset.ts'
import type { DataSpec } from '../spec/data.ts'
import type { ModelSpec } from '../spec/model.ts'
import type { Spec } from '../spec/spec.ts'
import type { SplitSpec } from '../spec/split.ts'
import type { ChangedCode } from '../stages/code.ts'
import type { StageInputs, StageOf, StageRef } from '../stages/stage.ts'
import { seedPlan } from './seed-plan.ts'
import { ref, stageMaker, type StageMaker } from './stage-maker.ts'
import { evaluateStage, trainStage } from './train-stages.ts'
import { tuningPlan } from './tuning-plan.ts'
import type { Plan, Population, SeedPlan, ShadowPlan } from './types.ts'

/**
 * The stages of an experiment. The same spec and data give the same keys everywhere. `changed`:
 * digests of the code that differs from the lock.
 */
export function plan(asked: Spec, facts: DatasetFacts, changed: ChangedCode = {}): Plan {
  const stage = stageMaker(changed)
  const own = { ...asked, model: keyedModel(asked.model) }
  // Only the originals of the experiment keep states.
  const { replay: _, ...training } = own.training
  const spec = { ...own, training }
  const checkpoint =
    spec.model.name === 'pretrained'
      ? stage('checkpoint', 'read checkpoint', { checkpoint: checkpointOf(spec.model) }, {})
      : undefined
  const start = checkpoint && { checkpoint: ref(checkpoint) }
  const dataset = stage(
    'dataset',
    `read ${spec.data.name}`,
    { data: keyedData(spec.data), facts, seed: spec.seed.data },
    {},
  )
  const ranking =
    spec.split.kind === 'hard' ? rankingOf(stage, own, { dataset: ref(dataset), ...start }) : undefined
  const split = stage(
    'split',
    `split by ${spec.split.kind === 'hard' ? spec.split.by : spec.split.kind}`,
    { split: keyedSplit(spec.split), seed: spec.seed.split },
    { dataset: ref(dataset), ...(ranking && { ranking: ref(ranking) }) },
  )
  const tuning = tuningPlan({
    stage,
    spec,
    facts,
    data: { dataset: ref(dataset), split: ref(split) },
    ...start,
  })
  const shadow = spec.shadow && shadowPlan(stage, spec, { dataset: ref(dataset), ...start })

  const planned = (i: number) =>
    seedPlan({
      stage,
      spec,
      originalTraining: own.training,
      seeds: seedsAt(spec, i),
      ...(spec.seeds !== undefined && { number: i + 1 }),
      data: { dataset: ref(dataset), split: ref(split) },
      ...start,
      ...(shadow && { pool: ref(shadow.pool) }),
      ...(tuning && { tuning }),
    })
  const first = planned(0)
  const others = Array.from({ length: (spec.seeds ?? 1) - 1 }, (_, i) => planned(i + 1))
  return {
    dataset,
    ...(checkpoint && { checkpoint }),
    ...(ranking && { ranking }),
    split,
    ...(tuning && { tuning }),
    ...first,
    ...(others.length > 0 && { seeds: others }),
    ...(others.length + 1 >= LEAST_SEEDS && { population: populations(stage, [first, ...others]) }),
    ...(shadow && { shadow }),
  }
}

/**
 * The seeds of repetition `i`, from 0: training and unlearning seeds grow by i, those of data and
 * split stay.
 */
export function seedsAt({ seed }: Spec, i: number): Spec['seed'] {
  return { ...seed, training: seed.training + i, unlearning: seed.unlearning + i }
}

/**
 * A pool of 8 has the first 8 models of a pool of 64, since a model's key does not depend on the
 * number of models.
 */
function shadowPlan(
  stage: StageMaker,
  { model, training, seed, shadow }: Spec,
  inputs: StageInputs['shadow'],
): ShadowPlan {
  const count = shadow?.models ?? 0
  const models = Array.from({ length: count }, (_, index) =>
    stage('shadow', `train shadow ${index + 1}`, { model, training, seed: seed.training, index }, inputs),
  )
  const members = models.map((one, i) => [`shadow${i + 1}`, ref(one)] as const)
  return { models, pool: stage('pool', `gather ${count} shadows`, {}, Object.fromEntries(members)) }
}

/** With fewer seeds the models of a row have no distribution to speak of. */
const LEAST_SEEDS = 3

/**
 * For each row but gold's own: the evaluation of each seed's model beside that of the seed's gold
 * model.
 */
function populations(
  stage: StageMaker,
  seeds: readonly [SeedPlan, ...(readonly SeedPlan[])],
): readonly Population[] {
  const rows = seeds.map(({ candidates, floor }) => [...candidates, ...floor])
  const gold = seeds[0].gold[0]?.key
  return (rows[0] ?? []).flatMap(({ label, model }, row) => {
    if (model.key === gold) return []
    const inputs = seeds.flatMap(({ reference }, i): (readonly [string, StageRef<'evaluate'>])[] => {
      const evaluate = rows[i]?.[row]?.evaluate
      return evaluate
        ? [
            [`unlearned${i + 1}`, ref(evaluate)],
            [`gold${i + 1}`, ref(reference.evaluate)],
          ]
        : []
    })
    return [{ label, stage: stage('population', `population ${label}`, {}, Object.fromEntries(inputs)) }]
  })
}

/**
 * The evaluation by which a hard split ranks training samples. The original that it evaluates
 * depends on no split.
 */
function rankingOf(stage: StageMaker, spec: Spec, inputs: StageInputs['train']): StageOf<'evaluate'> {
  const original = trainStage(stage, spec, 'all', inputs, spec.seed.training, 'train original')
  const { dataset } = inputs
  return evaluateStage(stage, spec, { dataset, model: ref(original) }, 'rank training samples')
}

/** The model without the place of its checkpoint: the checkpoint's content decides the key. */
function keyedModel(model: ModelSpec): ModelSpec {
  if (model.name !== 'pretrained') return model
  const { from: _, ...keyed } = model
  return keyed
}

/**
 * The data without its place and its citation. The content of its files, which the facts give, and
 * the way in which they are read decide the key.
 */
function keyedData(data: DataSpec): DataSpec {
  const { from: _, citation: __, ...keyed } = data as DataSpec & { from?: string; citation?: string }
  return keyed
}

/** A split by indices without the file that they come from: the indices decide the key. */
function keyedSplit(split: SplitSpec): SplitSpec {
  return split.kind === 'indices' ? { kind: split.kind, indices: split.indices } : split
}
