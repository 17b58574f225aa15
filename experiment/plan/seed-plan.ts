import type { ApproximateMethodSpec } from '../spec/methods.ts'
import { executionOf, hasWeights, programParams, resultOf, type ExternalMethodSpec } from '../spec/program.ts'
import { trainedHere, type Spec } from '../spec/spec.ts'
import { optionsOf } from '../spec/variants.ts'
import type { StageInputs, StageOf, StageRef } from '../stages/stage.ts'
import { requestedKinds } from '../stages/requested.ts'
import { requestedStages } from './requested-stages.ts'
import { ref, type StageMaker } from './stage-maker.ts'
import { evaluateStage, trainStage, untrainedStage } from './train-stages.ts'
import type { Candidate, JudgingStages, SeedPlan, TuningPlan } from './types.ts'

/** The values from which the stages of one seed are made. */
export interface SeedContext {
  readonly stage: StageMaker
  readonly spec: Spec
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
  /** The files of the program that trains the models. Absent if they are trained here. */
  readonly program?: StageRef<'program'>
  /** Makes the stage with the files of a method's program. */
  readonly programOf: (program: ExternalMethodSpec) => StageOf<'program'>
}

/**
 * The stages of one seed. They have the keys of the stages of an experiment with this seed alone,
 * so that the two experiments share results.
 */
export function seedPlan(seed: SeedContext): SeedPlan {
  const { stage, spec, seeds, data } = seed
  const original = trainOriginal(seed)
  const [gold, ...otherGold] = trainGold(seed)
  const untrained = untrainedStage(
    stage,
    spec,
    { dataset: data.dataset },
    seeds.unlearning,
    titled(seed, 'initialise twin'),
  )
  const twin = untrained && { model: untrained, evaluate: evaluated(seed, 'twin', ref(untrained)) }
  const originalEvaluation = evaluated(seed, 'original', ref(original))
  const others = { gold: ref(gold), originalEvaluation: ref(originalEvaluation) }
  const reference = judged(seed, 'retrain', others.gold, others)
  const goldEvaluation = ref(reference.evaluate)
  const isOriginalCompared = spec.data.validation > 0
  const compared = (label: string, model: Candidate['model'], { ofProgram = false } = {}) => {
    const judgement = judged(seed, label, model, { ...others, goldEvaluation, ofProgram })
    const inputs: StageInputs['compare'] = {
      evaluation: ref(judgement.evaluate),
      attack: ref(judgement.attack),
      goldEvaluation,
      goldAttack: ref(reference.attack),
      ...(twin && { twinEvaluation: ref(twin.evaluate) }),
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
      case 'external': {
        const unlearn = unlearnedByProgram(seed, name, row, ref(original))
        const ofProgram = !hasWeights(resultOf(row, spec.model))
        return { ...compared(name, ref(unlearn), { ofProgram }), method, unlearn }
      }
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
    ...(twin && { twin }),
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
  const { stage, spec, seeds, data } = seed
  const inputs = { dataset: data.dataset, ...startOf(seed) }
  return trainStage(stage, spec, 'all', inputs, seeds.training, titled(seed, 'train original'))
}

/**
 * The gold models. Their seeds are 1000 apart and differ from the original's, so that no two models
 * of a run share initial weights or the order of samples.
 */
function trainGold(seed: SeedContext): readonly [StageOf<'train'>, ...StageOf<'train'>[]] {
  const { stage, spec, seeds, data, number } = seed
  const model = (n: number, title: string) =>
    trainStage(
      stage,
      spec,
      'retained',
      { ...data, ...startOf(seed) },
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

/** What a training starts from: a checkpoint, or the files of the program that trains. */
function startOf({ checkpoint, program }: SeedContext) {
  return { ...(checkpoint && { checkpoint }), ...(program && { program }) }
}

function evaluated(
  seed: SeedContext,
  label: string,
  model: Candidate['model'],
  options: { readonly ofProgram?: boolean } = {},
): StageOf<'evaluate'> {
  const { stage, spec, data } = seed
  return evaluateStage(stage, spec, { ...data, model }, titled(seed, `evaluate ${label}`), options)
}

function unlearned(
  seed: SeedContext,
  name: string,
  method: ApproximateMethodSpec,
  original: StageRef<'train'>,
): StageOf<'unlearn'> {
  const { stage, spec, seeds, data, tuning } = seed
  const tuned = tuning?.rows.find(({ label }) => label === name)?.rounds.at(-1)
  const trained = trainedHere(spec)
  if (!trained) throw new Error(`${name} needs a model that is trained here, and the model is external`)
  return stage(
    'unlearn',
    titled(seed, `unlearn by ${name}`),
    { method, ...trained, seed: seeds.unlearning },
    { ...data, original, ...(tuned && { tuned: ref(tuned.ranking) }) },
  )
}

function unlearnedByProgram(
  seed: SeedContext,
  name: string,
  row: ExternalMethodSpec,
  original: StageRef<'train'>,
): StageOf<'unlearn'> {
  const { stage, spec, seeds, data, programOf } = seed
  return stage(
    'unlearn',
    titled(seed, `unlearn by ${name}`),
    {
      program: programParams(row, resultOf(row, spec.model)),
      ...(spec.model.name !== 'external' && { model: spec.model }),
      seed: seeds.unlearning,
    },
    { ...data, original, program: ref(programOf(row)) },
    executionOf(row),
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
    ofProgram = false,
  }: {
    readonly gold: StageRef<'train'>
    readonly goldEvaluation?: StageRef<'evaluate'>
    readonly originalEvaluation: StageRef<'evaluate'>
    /** A program has computed the outputs of the model, and its weights are not known. */
    readonly ofProgram?: boolean
  },
): JudgingStages {
  const { stage, spec, seeds, data, pool } = seed
  const { split } = data
  const evaluate = evaluated(seed, label, model, { ofProgram })
  const trained = ofProgram ? undefined : trainedHere(spec)
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
      ...(trained && { trained }),
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
