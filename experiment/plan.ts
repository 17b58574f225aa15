import { digestOf } from './canonical.ts'
import type { DatasetFacts } from './dataset.ts'
import type { MethodName } from './methods.ts'
import type { Spec } from './spec.ts'
import {
  stageVersions,
  type StageInputs,
  type StageKind,
  type StageOf,
  type StageParams,
  type StageRef,
} from './stages.ts'

/** The stages of one experiment. Pure: the same spec and data give the same keys everywhere. */
export interface Plan {
  readonly dataset: StageOf<'dataset'>
  readonly split: StageOf<'split'>
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
  const split = stage(
    'split',
    `split by ${spec.split.kind}`,
    { split: spec.split, seed: spec.seed.split },
    { dataset: ref(dataset) },
  )
  const data = { dataset: ref(dataset), split: ref(split) }

  const train = (on: 'all' | 'retained', seed: number, title: string) =>
    stage(
      'train',
      title,
      { on, model: spec.model, training: spec.training, seed },
      on === 'all' ? { dataset: ref(dataset) } : data,
    )
  const original = train('all', spec.seed.training, 'train original')
  // The first gold model has a seed of its own: sharing the original's would share its initial weights and order too.
  const gold = Array.from({ length: spec.gold.models }, (_, i) =>
    train(
      'retained',
      spec.seed.training + 1000 * (i + 1),
      i === 0 ? 'train gold' : `train gold, seed ${i + 1}`,
    ),
  )

  const judge = (label: string, model: StageRef) => {
    const evaluate = stage(
      'evaluate',
      `evaluate ${label}`,
      { model: spec.model, batchSize: 500 },
      { ...data, model },
    )
    const attack = stage(
      'attack',
      `attack ${label}`,
      { samples: spec.attack.samples, seed: spec.seed.split },
      { split: ref(split), evaluation: ref(evaluate) },
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
    return { label, model, evaluate, attack, compare: stage('compare', `compare ${label}`, {}, inputs) }
  }

  const candidates = spec.methods.map(({ label, ...method }): Candidate => {
    const name = label ?? method.method
    switch (method.method) {
      case 'original':
        return { ...compared(name, ref(original)), method: method.method }
      case 'retrain':
        return { ...compared(name, ref(first(gold))), method: method.method }
      default: {
        const params = { method, model: spec.model, training: spec.training, seed: spec.seed.unlearning }
        const unlearn = stage('unlearn', `unlearn by ${name}`, params, { ...data, original: ref(original) })
        return { ...compared(name, ref(unlearn)), method: method.method, unlearn }
      }
    }
  })
  const floor = gold
    .slice(1)
    .map((model, i): Candidate => ({ ...compared(`retrain, seed ${i + 2}`, ref(model)), method: 'retrain' }))

  return { dataset, split, original, gold, reference, candidates, floor }
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
