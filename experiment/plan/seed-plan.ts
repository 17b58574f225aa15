import type { ApproximateMethodSpec } from '../spec/methods.ts'
import type { Spec } from '../spec/spec.ts'
import { optionsOf } from '../spec/variants.ts'
import type { StageInputs, StageOf, StageRef } from '../stages/stage.ts'
import { requestedKinds } from '../stages/requested.ts'
import { requestedStages } from './requested-stages.ts'
import { ref, type StageMaker } from './stage-maker.ts'
import { evaluateStage, trainStage } from './train-stages.ts'
import type { Candidate, JudgingStages, SeedPlan, TuningPlan } from './types.ts'

/** The values from which the stages of one seed are made. */
export interface SeedContext {
  readonly stage: StageMaker
  readonly spec: Spec
  /** The training of the original, which may keep states. */
  readonly originalTraining: Spec['training']
  readonly seeds: Spec['seed']
  /** The seed's number, counted from 1. Absent if the experiment has one seed. */
  readonly number?: number
  readonly data: { readonly dataset: StageRef<'dataset'>; readonly split: StageRef<'split'> }
  /** Absent if models start from new weights. */
  readonly checkpoint?: StageRef<'checkpoint'>
  /** Absent if there are no shadow models. */
  readonly pool?: StageRef<'pool'>
  /** Absent if no row is tuned. */
  readonly tuning?: TuningPlan
}

/**
 * The stages of one seed. They have the keys of the stages of an experiment with this seed alone,
 * so that the two experiments share results.
 */
export function seedPlan(seed: SeedContext): SeedPlan {
  const { stage, spec, seeds, data } = seed
  const original = trainOriginal(seed)
  const [gold, ...otherGold] = trainGold(seed)
  const twin = trainStage(
    stage,
    spec,
    'nothing',
    { dataset: data.dataset },
    seeds.unlearning,
    titled(seed, 'initialise twin'),
  )
  const twinEvaluation = evaluated(seed, 'twin', ref(twin))
  const originalEvaluation = evaluated(seed, 'original', ref(original))
  const others = { gold: ref(gold), originalEvaluation: ref(originalEvaluation) }
  const reference = judged(seed, 'retrain', others.gold, others)
  const goldEvaluation = ref(reference.evaluate)
  const isOriginalCompared = spec.data.validation > 0
  const compared = (label: string, model: Candidate['model']) => {
    const judgement = judged(seed, label, model, { ...others, goldEvaluation })
    const inputs: StageInputs['compare'] = {
      evaluation: ref(judgement.evaluate),
      attack: ref(judgement.attack),
      goldEvaluation,
      goldAttack: ref(reference.attack),
      twinEvaluation: ref(twinEvaluation),
      ...(isOriginalCompared && { originalEvaluation: others.originalEvaluation }),
    }
    return {
      label,
      model,
      ...judgement,
      compare: stage('compare', titled(seed, `compare ${label}`), {}, inputs),
    }
  }

  const candidates = spec.methods.map((row): Candidate => {
    const { method } = row
    const name = row.label ?? method
    switch (row.method) {
      case 'original':
        return { ...compared(name, ref(original)), method }
      case 'retrain':
        return { ...compared(name, ref(gold)), method }
      default: {
        const unlearn = unlearned(seed, name, optionsOf(row), ref(original))
        return { ...compared(name, ref(unlearn)), method, unlearn }
      }
    }
  })
  const floor = otherGold.map((model, n): Candidate => {
    const label = `retrain, ${seed.number === undefined ? 'seed' : 'gold'} ${n + 2}`
    return { ...compared(label, ref(model)), method: 'retrain' }
  })

  return {
    original,
    gold: [gold, ...otherGold],
    reference,
    twin: { model: twin, evaluate: twinEvaluation },
    ...((isOriginalCompared || isRead(originalEvaluation, reference)) && { originalEvaluation }),
    candidates,
    floor,
  }
}

/** Whether one of the requested stages that judge a model reads a stage. */
function isRead({ key }: StageRef, judging: JudgingStages): boolean {
  return requestedKinds.some((kind) =>
    Object.values<StageRef>(judging[kind]?.inputs ?? {}).some((input) => input.key === key),
  )
}

function titled({ number }: SeedContext, title: string): string {
  return number === undefined ? title : `${title}, seed ${number}`
}

function trainOriginal(seed: SeedContext): StageOf<'train'> {
  const { stage, seeds, data, checkpoint } = seed
  const spec = { ...seed.spec, training: seed.originalTraining }
  const inputs = { dataset: data.dataset, ...(checkpoint && { checkpoint }) }
  return trainStage(stage, spec, 'all', inputs, seeds.training, titled(seed, 'train original'))
}

/**
 * The gold models. Their seeds are 1000 apart and differ from the original's, so that no two models
 * of a run share initial weights or the order of samples.
 */
function trainGold(seed: SeedContext): readonly [StageOf<'train'>, ...StageOf<'train'>[]] {
  const { stage, spec, seeds, data, checkpoint, number } = seed
  const model = (n: number, title: string) =>
    trainStage(
      stage,
      spec,
      'retained',
      { ...data, ...(checkpoint && { checkpoint }) },
      seeds.training + 1000 * n,
      titled(seed, title),
    )
  // With several seeds, "seed 2" names the second of them, so that the further gold models are only
  // numbered.
  const others = Array.from({ length: spec.gold.models - 1 }, (_, i) =>
    model(i + 2, `train gold${number === undefined ? ', seed' : ''} ${i + 2}`),
  )
  return [model(1, 'train gold'), ...others]
}

function evaluated(seed: SeedContext, label: string, model: Candidate['model']): StageOf<'evaluate'> {
  return evaluateStage(seed.stage, seed.spec, { ...seed.data, model }, titled(seed, `evaluate ${label}`))
}

function unlearned(
  seed: SeedContext,
  name: string,
  method: ApproximateMethodSpec,
  original: StageRef<'train'>,
): StageOf<'unlearn'> {
  const { stage, spec, seeds, data, tuning } = seed
  const tuned = tuning?.rows.find(({ label }) => label === name)?.rounds.at(-1)
  return stage(
    'unlearn',
    titled(seed, `unlearn by ${name}`),
    { method, model: spec.model, training: spec.training, seed: seeds.unlearning },
    { ...data, original, ...(tuned && { tuned: ref(tuned.ranking) }) },
  )
}

/**
 * The stages that judge one model, and the models that it is judged against. Gold itself has no
 * `goldEvaluation` but its own.
 */
function judged(
  seed: SeedContext,
  label: string,
  model: Candidate['model'],
  {
    gold,
    goldEvaluation,
    originalEvaluation,
  }: {
    readonly gold: StageRef<'train'>
    readonly goldEvaluation?: StageRef<'evaluate'>
    readonly originalEvaluation: StageRef<'evaluate'>
  },
): JudgingStages {
  const { stage, spec, seeds, data, pool } = seed
  const { split } = data
  const evaluate = evaluated(seed, label, model)
  const attack = stage(
    'attack',
    titled(seed, `attack ${label}`),
    { samples: spec.attack.samples, seed: spec.seed.split },
    { split, evaluation: ref(evaluate) },
  )
  const membership =
    pool &&
    stage(
      'membership',
      titled(seed, `attack ${label} by shadows`),
      { seed: spec.seed.split },
      { split, evaluation: ref(evaluate), pool },
    )
  const requested = requestedStages(
    stage,
    spec,
    {
      model: spec.model,
      training: spec.training,
      seeds,
      inputs: {
        ...data,
        model,
        evaluation: ref(evaluate),
        goldModel: gold,
        goldEvaluation: goldEvaluation ?? ref(evaluate),
        originalEvaluation,
        ...(pool && { pool }),
      },
    },
    (kind) => titled(seed, `${kind} ${label}`),
  )
  return {
    evaluate,
    attack,
    ...(membership && { membership }),
    ...requested,
  }
}
