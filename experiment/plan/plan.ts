import { checkpointOf } from '../models/model.ts'
import type { DatasetFacts } from '../spec/dataset.ts'
import type { DataSpec } from '../spec/data.ts'
import { dataName } from '../spec/data-name.ts'
import type { AnyModelSpec, ModelSpec } from '../spec/model.ts'
import { programFiles, type ProgramSpec } from '../spec/program.ts'
import { trainedHere, type Spec } from '../spec/spec.ts'
import { givenOf } from '../spec/given.ts'
import { isGoldGiven } from '../spec/gold.ts'
import type { SplitSpec } from '../spec/split.ts'
import type { TrainingSpec } from '../spec/training.ts'
import type { ChangedCode } from '../stages/code.ts'
import type { StageInputs, StageOf, StageRef } from '../stages/stage.ts'
import { givenStages } from './given-stages.ts'
import { seedPlan } from './seed-plan.ts'
import { ref, stageMaker, type StageMaker } from './stage-maker.ts'
import { evaluateStage, shadowStage, trainStage } from './train-stages.ts'
import { tuningPlan } from './tuning-plan.ts'
import type { GivenStages, Plan, Population, SeedPlan, ShadowPlan } from './types.ts'

/**
 * The stages of an experiment. The same spec and data give the same keys everywhere. `changed`:
 * digests of the code that differs from the lock.
 */
export function plan(asked: Spec, facts: DatasetFacts, changed: ChangedCode = {}): Plan {
  const stage = stageMaker(changed)
  const own = { ...asked, model: keyedModel(asked.model) }
  const spec = { ...own, training: own.training && plainTraining(own.training) }
  const checkpoint =
    spec.model.name === 'pretrained'
      ? stage('checkpoint', 'read checkpoint', { checkpoint: checkpointOf(spec.model) }, {})
      : undefined
  const programOf = programStages(stage)
  const program = spec.model.name === 'external' ? programOf(spec.model) : undefined
  const start = {
    ...(checkpoint && { checkpoint: ref(checkpoint) }),
    ...(program && { program: ref(program) }),
  }
  const dataset = stage(
    'dataset',
    `read ${dataName(spec.data)}`,
    {
      data: keyedData(spec.data),
      facts,
      seed: spec.seed.data,
      ...(spec.split.kind === 'names' && spec.split.kept && { keep: spec.split.indices ?? [] }),
    },
    {},
  )
  const trained = trainedHere(spec)
  const original =
    spec.original &&
    trained &&
    givenStages(stage, trained.model, givenOf(spec.original), { dataset: ref(dataset), name: 'original' })
  const gold = trained && givenGold(stage, trained.model, spec.gold, ref(dataset))
  const goldStart = goldCheckpoint(stage, spec)
  const ranking =
    spec.split.kind === 'hard'
      ? rankingOf(stage, own, { dataset: ref(dataset), ...start }, original?.model)
      : undefined
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
    ...(original && { given: original.model }),
  })
  const shadow = spec.shadow && shadowPlan(stage, spec, { dataset: ref(dataset), ...start })

  const planned = (i: number) =>
    seedPlan({
      stage,
      spec,
      originalTraining: own.training,
      goldTraining: own.gold.training ?? (own.training && goldTraining(own.training)),
      seeds: seedsAt(spec, i),
      ...(spec.seeds !== undefined && { number: i + 1 }),
      data: { dataset: ref(dataset), split: ref(split) },
      ...start,
      goldStart: spec.gold.training === undefined ? start : goldStart ? { checkpoint: ref(goldStart) } : {},
      ...(original && { given: original.model }),
      ...(gold && { givenGold: gold.map(({ model }) => model) }),
      ...(shadow && { pool: ref(shadow.pool) }),
      ...(tuning && { tuning }),
      programOf,
    })
  const files = [original, ...(gold ?? [])].flatMap((one) => (one ? [one.checkpoint] : []))
  const given = [...files, ...(goldStart ? [goldStart] : [])].filter(({ key }) => key !== checkpoint?.key)
  const first = planned(0)
  const others = Array.from({ length: (spec.seeds ?? 1) - 1 }, (_, i) => planned(i + 1))
  const programs = programOf.made()
  return {
    dataset,
    ...(checkpoint && { checkpoint }),
    ...(given.length > 0 && { given }),
    ...(programs.length > 0 && { programs }),
    ...(ranking && { ranking }),
    split,
    ...(tuning && { tuning }),
    ...first,
    ...(others.length > 0 && { seeds: others }),
    ...(others.length + 1 >= LEAST_SEEDS &&
      hasOwnGold(first) && { population: populations(stage, [first, ...others]) }),
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
function shadowPlan(stage: StageMaker, spec: Spec, inputs: StageInputs['shadow']): ShadowPlan {
  const count = spec.shadow?.models ?? 0
  const models = Array.from({ length: count }, (_, index) => shadowStage(stage, spec, inputs, index))
  const members = models.map((one, i) => [`shadow${i + 1}`, ref(one)] as const)
  return { models, pool: stage('pool', `gather ${count} shadows`, {}, Object.fromEntries(members)) }
}

/** With fewer seeds the models of a row have no distribution to speak of. */
const LEAST_SEEDS = 3

/** Whether a seed has a gold model that is trained for it. Populations need one for each seed. */
function hasOwnGold({ gold: [gold] }: SeedPlan): boolean {
  return gold !== undefined && gold.params.on !== 'given'
}

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
      return evaluate && reference
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
function rankingOf(
  stage: StageMaker,
  spec: Spec,
  inputs: StageInputs['train'],
  given: StageOf<'train'> | undefined,
): StageOf<'evaluate'> {
  const original = given ?? trainStage(stage, spec, 'all', inputs, spec.seed.training, 'train original')
  const { dataset } = inputs
  return evaluateStage(stage, spec, { dataset, model: ref(original) }, 'rank training samples')
}

/** The gold models that were trained elsewhere. Undefined if gold is trained here. */
function givenGold(
  stage: StageMaker,
  model: ModelSpec,
  gold: Spec['gold'],
  dataset: StageRef<'dataset'>,
): readonly GivenStages[] | undefined {
  if (!isGoldGiven(gold)) return undefined
  return (gold.given ?? []).map((given, i) =>
    givenStages(stage, model, given, { dataset, name: i === 0 ? 'gold' : `gold ${i + 1}` }),
  )
}

/** Reads the checkpoint that gold's own training starts from. Undefined without one. */
function goldCheckpoint(stage: StageMaker, { gold }: Spec): StageOf<'checkpoint'> | undefined {
  const [given] = gold.training === undefined ? [] : (gold.given ?? [])
  if (given?.kind !== 'checkpoint') return undefined
  return stage('checkpoint', 'read checkpoint of gold', { checkpoint: given.checkpoint }, {})
}

/** Makes the stage with the files of a program, once for equal files. */
export interface ProgramStages {
  (program: ProgramSpec): StageOf<'program'>
  readonly made: () => readonly StageOf<'program'>[]
}

function programStages(stage: StageMaker): ProgramStages {
  const made = new Map<string, StageOf<'program'>>()
  const make = (program: ProgramSpec) => {
    const one = stage(
      'program',
      `store the files of ${program.command}`,
      { files: programFiles(program) },
      {},
    )
    const known = made.get(one.key) ?? one
    made.set(one.key, known)
    return known
  }
  return Object.assign(make, { made: () => [...made.values()] })
}

/** The training of a gold model. Only the originals keep states. */
function goldTraining({ replay: _, ...training }: TrainingSpec): TrainingSpec {
  return training
}

/** The training of other models, of which no accuracy is measured. */
function plainTraining({ accuracy: _, ...training }: TrainingSpec): TrainingSpec {
  return goldTraining(training)
}

/**
 * The model without the place of its checkpoint, whose content decides the key, or without the
 * plug-in that made its layers.
 */
function keyedModel(model: AnyModelSpec): AnyModelSpec {
  if (model.name === 'plugin') return { name: model.name, layers: model.layers }
  if (model.name !== 'pretrained') return model
  const { from: _, ...keyed } = model
  return keyed
}

/**
 * The data without its place and its citation. The content of its files, which the facts give, and
 * the way in which they are read decide the key.
 */
function keyedData(data: DataSpec): DataSpec {
  const { from: _, citation: __, ...rest } = data as DataSpec & { from?: string; citation?: string }
  if (rest.name !== 'parquet') return rest
  const { id: ___, ...keyed } = rest
  return keyed
}

/**
 * A split of listed samples without the file that they come from: the indices decide the key,
 * whether the file has indices or names.
 */
function keyedSplit(split: SplitSpec): SplitSpec {
  return split.kind === 'indices' || split.kind === 'names'
    ? { kind: 'indices', indices: split.indices }
    : split
}
