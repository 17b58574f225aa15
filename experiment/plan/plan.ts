import { codeNameOf, versionOf, type ChangedCode } from '../stages/code.ts'
import type { DatasetFacts } from '../spec/dataset.ts'
import type { MethodName } from '../spec/methods.ts'
import { checkpointOf } from '../models/model.ts'
import type { DataSpec, ModelSpec, Spec, SplitSpec } from '../spec/spec.ts'
import {
  keyOf,
  type StageInputs,
  type StageKind,
  type StageOf,
  type StageParams,
  type StageRef,
} from '../stages/stage.ts'

/**
 * The stages of one experiment: those of its first seed beside the ones that all seeds share. Pure: the same spec and data
 * give the same keys everywhere.
 */
export interface Plan extends SeedPlan {
  readonly dataset: StageOf<'dataset'>
  /** What every trained model starts from; absent where they start from new weights. */
  readonly checkpoint?: StageOf<'checkpoint'>
  /** What the original makes of every training sample, where the split depends on it. */
  readonly ranking?: StageOf<'evaluate'>
  readonly split: StageOf<'split'>
  /** The other seeds; absent where there is one. */
  readonly seeds?: readonly SeedPlan[]
  /** The models of all seeds against the gold ones, for each row but gold's own; absent where there are too few. */
  readonly population?: readonly Population[]
  /** Models that show what training on a sample does to it, for the attacks of every seed; absent where none are asked for. */
  readonly shadow?: ShadowPlan
}

/** One pool for all: what it is trained on depends on no split, no method and no seed but the first training seed. */
export interface ShadowPlan {
  readonly models: readonly StageOf<'shadow'>[]
  readonly pool: StageOf<'pool'>
}

export interface Population {
  /** The row's. */
  readonly label: string
  readonly stage: StageOf<'population'>
}

/** What is trained, unlearned and judged under one training and one unlearning seed. */
export interface SeedPlan {
  readonly original: StageOf<'train'>
  /** The first is what everything is compared with; the others, of other seeds, give the floor. */
  readonly gold: readonly StageOf<'train'>[]
  /** The first gold model, judged: what every candidate is compared with, whether it is a row of the table or not. */
  readonly reference: Pick<Candidate, 'evaluate' | 'attack' | 'membership' | 'relearn' | 'probe'>
  /** A model that learnt nothing, from other initial weights; absent in plans of older versions. */
  readonly twin?: Twin
  /** The original's outputs, where relearning or the validation gap asks what it knew; they may be a candidate's too. */
  readonly originalEvaluation?: StageOf<'evaluate'>
  readonly candidates: readonly Candidate[]
  /** Gold models of other seeds, judged like every method: the gap between equals. */
  readonly floor: readonly Candidate[]
}

export interface Twin {
  readonly model: StageOf<'train'>
  readonly evaluate: StageOf<'evaluate'>
}

/** A model that is judged: a method's, or one that stands for comparison. */
export interface Candidate {
  /** The row's name in tables. */
  readonly label: string
  readonly method: MethodName
  /** Absent where the model is one of the trained ones. */
  readonly unlearn?: StageOf<'unlearn'>
  readonly model: StageRef
  readonly evaluate: StageOf<'evaluate'>
  readonly attack: StageOf<'attack'>
  readonly compare: StageOf<'compare'>
  /** Absent where there are no shadow models. */
  readonly membership?: StageOf<'membership'>
  /** Absent where they are not asked for. */
  readonly relearn?: StageOf<'relearn'>
  readonly probe?: StageOf<'probe'>
}

/** `changed`: the code that differs from the lock (see `changedCode` in activities/). */
export function plan(asked: Spec, facts: DatasetFacts, changed: ChangedCode = {}): Plan {
  const stage = stageMaker(changed)
  const spec = { ...asked, model: keyedModel(asked.model) }
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
    spec.split.kind === 'hard' ? rankingOf(stage, spec, { dataset: ref(dataset), ...start }) : undefined
  const split = stage(
    'split',
    `split by ${spec.split.kind === 'hard' ? spec.split.by : spec.split.kind}`,
    { split: keyedSplit(spec.split), seed: spec.seed.split },
    { dataset: ref(dataset), ...(ranking && { ranking: ref(ranking) }) },
  )
  const shadow = spec.shadow && shadowPlan(stage, spec, { dataset: ref(dataset), ...start })
  const data = { dataset: ref(dataset), split: ref(split), ...(shadow && { pool: ref(shadow.pool) }) }

  const planned = (i: number) => seedPlan(stage, spec, data, start, i)
  const seeds = Array.from({ length: spec.seeds ?? 1 }, (_, i) => planned(i))
  const [one, ...others] = [first(seeds), ...seeds.slice(1)]
  return {
    dataset,
    ...(checkpoint && { checkpoint }),
    ...(ranking && { ranking }),
    split,
    ...one,
    ...(others.length > 0 && { seeds: others }),
    ...(seeds.length >= LEAST_MODELS && { population: populations(stage, seeds) }),
    ...(shadow && { shadow }),
  }
}

/** A pool of 8 is the first 8 of a pool of 64: a model's key does not say how many others there are. */
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

/** Fewer models have no distribution that anything could be told from. */
const LEAST_MODELS = 3

/** Row by row, each seed's model beside that seed's gold. */
function populations(stage: StageMaker, seeds: readonly SeedPlan[]): readonly Population[] {
  const rows = seeds.map(({ candidates, floor }) => [...candidates, ...floor])
  return first(rows).flatMap(({ label, model }, row) => {
    if (model.key === first(first(seeds).gold).key) return []
    const inputs = seeds.flatMap(({ reference }, i) => {
      const evaluate = rows[i]?.[row]?.evaluate
      return evaluate
        ? [[`unlearned${i + 1}`, ref(evaluate)] as const, [`gold${i + 1}`, ref(reference.evaluate)] as const]
        : []
    })
    return [{ label, stage: stage('population', `population ${label}`, {}, Object.fromEntries(inputs)) }]
  })
}

/** What is drawn from for seed `i`, from 0: training and unlearning seeds are greater by i, data and split stay. */
export function seedsAt({ seed }: Spec, i: number): Spec['seed'] {
  return { ...seed, training: seed.training + i, unlearning: seed.unlearning + i }
}

/**
 * The stages of seed `i`: those of an experiment with its seeds, so that the two share what is kept. Gold models are 1000
 * apart: no two models of a run have the same training seed.
 */
function seedPlan(
  stage: StageMaker,
  spec: Spec,
  { pool, ...data }: { readonly dataset: StageRef; readonly split: StageRef; readonly pool?: StageRef },
  start: { readonly checkpoint: StageRef } | undefined,
  i: number,
): SeedPlan {
  const seeds = seedsAt(spec, i)
  const several = spec.seeds !== undefined
  const titled = (title: string) => (several ? `${title}, seed ${i + 1}` : title)

  const original = train(
    stage,
    spec,
    { dataset: data.dataset, ...start },
    seeds.training,
    titled('train original'),
  )
  // The first gold model has a seed of its own: sharing the original's would share its initial weights and order too.
  const gold = Array.from({ length: spec.gold.models }, (_, n) =>
    train(
      stage,
      spec,
      { ...data, ...start },
      seeds.training + 1000 * (n + 1),
      // Of several seeds, "seed 2" is the second of them, and no further gold model.
      titled(n === 0 ? 'train gold' : `train gold${several ? '' : ', seed'} ${n + 1}`),
    ),
  )

  const evaluated = (label: string, model: StageRef) =>
    stage('evaluate', titled(`evaluate ${label}`), { model: spec.model, batchSize: 500 }, { ...data, model })
  const untrained = twin(stage, spec, { dataset: data.dataset }, seeds.unlearning, titled('initialise twin'))
  const twinEvaluation = evaluated('twin', ref(untrained))
  const originalEvaluation =
    spec.relearn || spec.data.validation > 0 ? evaluated('original', ref(original)) : undefined

  const judge = (label: string, model: StageRef) => {
    const evaluate = evaluated(label, model)
    const attack = stage(
      'attack',
      titled(`attack ${label}`),
      { samples: spec.attack.samples, seed: spec.seed.split },
      { split: data.split, evaluation: ref(evaluate) },
    )
    const membership =
      pool &&
      stage(
        'membership',
        titled(`attack ${label} by shadows`),
        { seed: spec.seed.split },
        { split: data.split, evaluation: ref(evaluate), pool },
      )
    const relearn =
      spec.relearn &&
      originalEvaluation &&
      stage(
        'relearn',
        titled(`relearn ${label}`),
        {
          relearn: { ...spec.relearn, optimizer: spec.relearn.optimizer ?? spec.training.optimizer },
          model: spec.model,
          augment: spec.training.augment,
          seed: seeds.unlearning,
        },
        { ...data, model, originalEvaluation: ref(originalEvaluation) },
      )
    const probe =
      spec.probe &&
      stage(
        'probe',
        titled(`probe ${label}`),
        { probe: spec.probe, model: spec.model, seed: spec.seed.split },
        { ...data, model, goldModel: ref(first(gold)) },
      )
    return {
      evaluate,
      attack,
      ...(membership && { membership }),
      ...(relearn && { relearn }),
      ...(probe && { probe }),
    }
  }
  const reference = judge('retrain', ref(first(gold)))
  const compared = (label: string, model: StageRef) => {
    const judged = judge(label, model)
    const { evaluate, attack } = judged
    const inputs = {
      evaluation: ref(evaluate),
      attack: ref(attack),
      goldEvaluation: ref(reference.evaluate),
      goldAttack: ref(reference.attack),
      twinEvaluation: ref(twinEvaluation),
      ...(spec.data.validation > 0 && originalEvaluation && { originalEvaluation: ref(originalEvaluation) }),
    }
    const compare = stage('compare', titled(`compare ${label}`), {}, inputs)
    return { label, model, ...judged, compare }
  }

  const candidates = spec.methods.map(({ label, ...method }): Candidate => {
    const name = label ?? method.method
    switch (method.method) {
      case 'original':
        return { ...compared(name, ref(original)), method: method.method }
      case 'retrain':
        return { ...compared(name, ref(first(gold))), method: method.method }
      default: {
        const params = {
          method,
          model: spec.model,
          training: spec.training,
          seed: seeds.unlearning,
        }
        const inputs = { ...data, original: ref(original) }
        const unlearn = stage('unlearn', titled(`unlearn by ${name}`), params, inputs)
        return { ...compared(name, ref(unlearn)), method: method.method, unlearn }
      }
    }
  })
  const floor = gold.slice(1).map((model, n): Candidate => {
    const label = `retrain, ${several ? 'gold' : 'seed'} ${n + 2}`
    return { ...compared(label, ref(model)), method: 'retrain' }
  })

  return {
    original,
    gold,
    reference,
    twin: { model: untrained, evaluate: twinEvaluation },
    ...(originalEvaluation && { originalEvaluation }),
    candidates,
    floor,
  }
}

/** On all training samples, or on the retained ones where there is a split. */
function train(
  stage: StageMaker,
  { model, training }: Spec,
  inputs: StageInputs['train'],
  seed: number,
  title: string,
): StageOf<'train'> {
  return stage('train', title, { on: inputs.split ? 'retained' : 'all', model, training, seed }, inputs)
}

/** The same model before its first step. Nothing is drawn from the streams by which others are initialised. */
function twin(
  stage: StageMaker,
  { model, training }: Spec,
  inputs: StageInputs['train'],
  seed: number,
  title: string,
): StageOf<'train'> {
  return stage('train', title, { on: 'nothing', model, training, seed }, inputs)
}

/** The evaluation by which a hard split ranks training samples: of the original, which depends on no split. */
function rankingOf(stage: StageMaker, spec: Spec, inputs: StageInputs['train']): StageOf<'evaluate'> {
  const original = train(stage, spec, inputs, spec.seed.training, 'train original')
  const params = { model: spec.model, batchSize: 500 }
  const { dataset } = inputs
  return stage('evaluate', 'rank training samples', params, { dataset, model: ref(original) })
}

/** Of a checkpoint, what its files say counts, not where they were. */
function keyedModel(model: ModelSpec): ModelSpec {
  if (model.name !== 'pretrained') return model
  const { from: _, ...keyed } = model
  return keyed
}

/** Of the data, what its files hold (which the facts tell) and how they are read count, not where they are or whose. */
function keyedData(data: DataSpec): DataSpec {
  const { from: _, citation: __, ...keyed } = data as DataSpec & { from?: string; citation?: string }
  return keyed
}

/** Of a file of indices, what it says counts, not where it was or how it was written. */
function keyedSplit(split: SplitSpec): SplitSpec {
  return split.kind === 'indices' ? { kind: split.kind, indices: split.indices } : split
}

export function ref({ kind, key }: StageRef): StageRef {
  return { kind, key }
}

type StageMaker = <K extends StageKind>(
  kind: K,
  title: string,
  params: StageParams[K],
  inputs: StageInputs[K],
) => StageOf<K>

function stageMaker(changed: ChangedCode): StageMaker {
  return (kind, title, params, inputs) => {
    const name = codeNameOf({ kind, params })
    const code = changed[name]
    const keyed = { kind, version: versionOf(name), params, inputs, ...(code !== undefined && { code }) }
    return { ...keyed, key: keyOf(keyed), title }
  }
}

function first<T>(list: readonly T[]): T {
  const [head] = list
  if (head === undefined) throw new RangeError('an experiment has at least one gold model')
  return head
}
