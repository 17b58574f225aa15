import { digestOf } from './canonical.ts'
import type { DatasetFacts } from './dataset.ts'
import type { MethodName } from './methods.ts'
import type { Spec, SplitSpec } from './spec.ts'
import {
  stageVersions,
  type StageInputs,
  type StageKind,
  type StageOf,
  type StageParams,
  type StageRef,
} from './stages.ts'

/**
 * The stages of one experiment: those of its first seed beside the ones that all seeds share. Pure: the same spec and data
 * give the same keys everywhere.
 */
export interface Plan extends SeedPlan {
  readonly dataset: StageOf<'dataset'>
  /** What the original makes of every training sample, where the split depends on it. */
  readonly ranking?: StageOf<'evaluate'>
  readonly split: StageOf<'split'>
  /** The other seeds; absent where there is one. */
  readonly seeds?: readonly SeedPlan[]
  /** The models of all seeds against the gold ones, for each row but gold's own; absent where there are too few. */
  readonly population?: readonly Population[]
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
  readonly reference: Pick<Candidate, 'evaluate' | 'attack'>
  readonly candidates: readonly Candidate[]
  /** Gold models of other seeds, judged like every method: the gap between equals. */
  readonly floor: readonly Candidate[]
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
}

export function plan(spec: Spec, facts: DatasetFacts): Plan {
  const dataset = stage(
    'dataset',
    `read ${spec.data.name}`,
    { data: spec.data, facts, seed: spec.seed.data },
    {},
  )
  const ranking = spec.split.kind === 'hard' ? rankingOf(spec, ref(dataset)) : undefined
  const split = stage(
    'split',
    `split by ${spec.split.kind === 'hard' ? spec.split.by : spec.split.kind}`,
    { split: keyedSplit(spec.split), seed: spec.seed.split },
    { dataset: ref(dataset), ...(ranking && { ranking: ref(ranking) }) },
  )
  const data = { dataset: ref(dataset), split: ref(split) }

  const planned = (i: number) => seedPlan(spec, data, i)
  const seeds = Array.from({ length: spec.seeds ?? 1 }, (_, i) => planned(i))
  const [one, ...others] = [first(seeds), ...seeds.slice(1)]
  return {
    dataset,
    ...(ranking && { ranking }),
    split,
    ...one,
    ...(others.length > 0 && { seeds: others }),
    ...(seeds.length >= LEAST_MODELS && { population: populations(seeds) }),
  }
}

/** Fewer models have no distribution that anything could be told from. */
const LEAST_MODELS = 3

/** Row by row, each seed's model beside that seed's gold. */
function populations(seeds: readonly SeedPlan[]): readonly Population[] {
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
  spec: Spec,
  data: { readonly dataset: StageRef; readonly split: StageRef },
  i: number,
): SeedPlan {
  const seeds = seedsAt(spec, i)
  const several = spec.seeds !== undefined
  const titled = (title: string) => (several ? `${title}, seed ${i + 1}` : title)

  const original = train(spec, { dataset: data.dataset }, seeds.training, titled('train original'))
  // The first gold model has a seed of its own: sharing the original's would share its initial weights and order too.
  const gold = Array.from({ length: spec.gold.models }, (_, n) =>
    train(
      spec,
      data,
      seeds.training + 1000 * (n + 1),
      // Of several seeds, "seed 2" is the second of them, and no further gold model.
      titled(n === 0 ? 'train gold' : `train gold${several ? '' : ', seed'} ${n + 1}`),
    ),
  )

  const judge = (label: string, model: StageRef) => {
    const evaluate = stage(
      'evaluate',
      titled(`evaluate ${label}`),
      { model: spec.model, batchSize: 500 },
      { ...data, model },
    )
    const attack = stage(
      'attack',
      titled(`attack ${label}`),
      { samples: spec.attack.samples, seed: spec.seed.split },
      { split: data.split, evaluation: ref(evaluate) },
    )
    return { evaluate, attack }
  }
  const reference = judge('retrain', ref(first(gold)))
  const compared = (label: string, model: StageRef) => {
    const { evaluate, attack } = judge(label, model)
    const inputs = {
      evaluation: ref(evaluate),
      attack: ref(attack),
      goldEvaluation: ref(reference.evaluate),
      goldAttack: ref(reference.attack),
    }
    const compare = stage('compare', titled(`compare ${label}`), {}, inputs)
    return { label, model, evaluate, attack, compare }
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

  return { original, gold, reference, candidates, floor }
}

/** On all training samples, or on the retained ones where there is a split. */
function train(
  { model, training }: Spec,
  inputs: StageInputs['train'],
  seed: number,
  title: string,
): StageOf<'train'> {
  return stage('train', title, { on: inputs.split ? 'retained' : 'all', model, training, seed }, inputs)
}

/** The evaluation by which a hard split ranks training samples: of the original, which depends on no split. */
function rankingOf(spec: Spec, dataset: StageRef): StageOf<'evaluate'> {
  const original = train(spec, { dataset }, spec.seed.training, 'train original')
  const params = { model: spec.model, batchSize: 500 }
  return stage('evaluate', 'rank training samples', params, { dataset, model: ref(original) })
}

/** Of a file of indices, what it says counts, not where it was or how it was written. */
function keyedSplit(split: SplitSpec): SplitSpec {
  return split.kind === 'indices' ? { kind: split.kind, indices: split.indices } : split
}

export function ref({ kind, key }: StageRef): StageRef {
  return { kind, key }
}

function stage<K extends StageKind>(
  kind: K,
  title: string,
  params: StageParams[K],
  inputs: StageInputs[K],
): StageOf<K> {
  const version = stageVersions[kind]
  return { kind, key: digestOf({ kind, version, params, inputs }), version, title, params, inputs }
}

function first<T>(list: readonly T[]): T {
  const [head] = list
  if (head === undefined) throw new RangeError('an experiment has at least one gold model')
  return head
}
