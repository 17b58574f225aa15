import { givenOf } from '../spec/given.ts'
import { isEnsemble, type ApproximateMethodSpec } from '../spec/methods.ts'
import { executionOf, hasWeights, programParams, resultOf, type ExternalMethodSpec } from '../spec/program.ts'
import type { ModelSpec } from '../spec/model.ts'
import { trainedHere, withTraining, type Spec } from '../spec/spec.ts'
import { optionsOf } from '../spec/variants.ts'
import type { StageInputs, StageOf, StageRef } from '../stages/stage.ts'
import { requestedKinds } from '../stages/requested.ts'
import { givenStages } from './given-stages.ts'
import { requestedStages } from './requested-stages.ts'
import { ref, type StageMaker } from './stage-maker.ts'
import { evaluateStage, trainStage, untrainedStage } from './train-stages.ts'
import type { Candidate, JudgingStages, SeedPlan, TuningPlan } from './types.ts'

/** The values from which the stages of one seed are made. */
export interface SeedContext {
  readonly stage: StageMaker
  readonly spec: Spec
  /** The training of the original, which may keep states and measure its accuracy. */
  readonly originalTraining: Spec['training']
  /** The training of the gold models, which may measure their accuracy. */
  readonly goldTraining: Spec['training']
  readonly seeds: Spec['seed']
  /** The seed's number, counted from 1. Absent if the experiment has one seed. */
  readonly number?: number
  readonly data: { readonly dataset: StageRef<'dataset'>; readonly split: StageRef<'split'> }
  /** Absent if models start from new weights. */
  readonly checkpoint?: StageRef<'checkpoint'>
  /** The checkpoint that gold starts from. Absent if gold starts from new weights. */
  readonly goldStart: { readonly checkpoint?: StageRef<'checkpoint'> }
  /** The original, if it was made elsewhere. */
  readonly given?: StageOf<'train'>
  /** The gold models, if they were trained elsewhere. */
  readonly givenGold?: readonly StageOf<'train'>[]
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
  const original = seed.given ?? trainOriginal(seed)
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
  const others = { ...(gold && { gold: ref(gold) }), originalEvaluation: ref(originalEvaluation) }
  const reference = others.gold && judged(seed, 'retrain', others.gold, { ...others, hasWeights: true })
  const goldEvaluation = reference && { goldEvaluation: ref(reference.evaluate) }
  const isOriginalCompared = spec.data.validation > 0
  const compared = (label: string, model: Candidate['model'], hasWeights = true) => {
    const judgement = judged(seed, label, model, { ...others, ...goldEvaluation, hasWeights })
    const inputs: StageInputs['compare'] = {
      evaluation: ref(judgement.evaluate),
      attack: ref(judgement.attack),
      ...(reference && { ...goldEvaluation, goldAttack: ref(reference.attack) }),
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
        if (!gold) throw new RangeError('the row retrain needs a gold model, and there is none')
        return { ...compared(name, ref(gold)), method }
      case 'weights': {
        const given = givenOf(row)
        const made = givenStages(stage, modelHere(spec, name), given, {
          dataset: data.dataset,
          original: ref(original),
          // An adapter changes the original of its seed.
          name: given.kind === 'adapter' ? titled(seed, name) : name,
        })
        return { ...compared(name, ref(made.model), given.kind !== 'logits'), method, given: made }
      }
      case 'external': {
        const unlearn = unlearnedByProgram(seed, name, row, ref(original))
        return { ...compared(name, ref(unlearn), hasWeights(resultOf(row, spec.model))), method, unlearn }
      }
      default: {
        const unlearn = unlearned(seed, name, optionsOf(row), ref(original))
        return { ...compared(name, ref(unlearn), !isEnsemble(row)), method, unlearn }
      }
    }
  })
  const floor = otherGold.map((model, n): Candidate => {
    const isOfSeed = seed.number === undefined && !seed.givenGold
    const label = `retrain, ${isOfSeed ? 'seed' : 'gold'} ${n + 2}`
    return { ...compared(label, ref(model)), method: 'retrain' }
  })

  const judging = reference ? [reference] : candidates
  return {
    original,
    gold: gold ? [gold, ...otherGold] : [],
    ...(reference && { reference }),
    ...(twin && { twin }),
    ...((isOriginalCompared || isRead(originalEvaluation, judging)) && { originalEvaluation }),
    candidates,
    floor,
  }
}

/** Whether one of the requested stages that judge a model reads a stage. */
function isRead({ key }: StageRef, judging: readonly JudgingStages[]): boolean {
  return judging.some((stages) =>
    requestedKinds.some((kind) =>
      Object.values<StageRef>(stages[kind]?.inputs ?? {}).some((input) => input.key === key),
    ),
  )
}

function titled({ number }: SeedContext, title: string): string {
  return number === undefined ? title : `${title}, seed ${number}`
}

function trainOriginal(seed: SeedContext): StageOf<'train'> {
  const { stage, seeds, data } = seed
  const spec = { ...seed.spec, training: seed.originalTraining }
  const inputs = { dataset: data.dataset, ...startOf(seed) }
  return trainStage(stage, spec, 'all', inputs, seeds.training, titled(seed, 'train original'))
}

/**
 * The gold models, which may be none. Those that are trained here have seeds that are 1000 apart
 * and differ from the original's, so that no two models of a run share initial weights or the order
 * of samples.
 */
function trainGold(seed: SeedContext): readonly StageOf<'train'>[] {
  const { stage, spec, goldTraining, seeds, data, goldStart, number, givenGold } = seed
  if (givenGold) return givenGold
  if (spec.gold.models === 0) return []
  const model = (n: number, title: string) =>
    trainStage(
      stage,
      { ...spec, training: goldTraining },
      'retained',
      { ...data, ...goldStart },
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
  hasWeights = true,
): StageOf<'evaluate'> {
  const { stage, spec, data } = seed
  return evaluateStage(stage, spec, { ...data, model }, titled(seed, `evaluate ${label}`), hasWeights)
}

function unlearned(
  seed: SeedContext,
  name: string,
  method: ApproximateMethodSpec,
  original: StageRef<'train'>,
): StageOf<'unlearn'> {
  const { stage, spec, seeds, data, tuning } = seed
  const tuned = tuning?.rows.find(({ label }) => label === name)?.rounds.at(-1)
  const { training } = spec
  const model = modelHere(spec, name)
  return stage(
    'unlearn',
    titled(seed, `unlearn by ${name}`),
    { method, ...withTraining(model, training), seed: seeds.unlearning },
    { ...data, original, ...(tuned && { tuned: ref(tuned.ranking) }) },
  )
}

/** The model of Zeroshift that a row needs. A checked spec has it. */
function modelHere({ model }: Spec, row: string): ModelSpec {
  if (model.name === 'external')
    throw new Error(`${row} needs a model of Zeroshift, and the model is external`)
  return model
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
    hasWeights,
  }: {
    /** Absent in an experiment without gold. */
    readonly gold?: StageRef<'train'>
    readonly goldEvaluation?: StageRef<'evaluate'>
    readonly originalEvaluation: StageRef<'evaluate'>
    /** Whether the weights of the model are known, and not its outputs alone. */
    readonly hasWeights: boolean
  },
): JudgingStages {
  const { stage, spec, seeds, data, pool } = seed
  const { split } = data
  const evaluate = evaluated(seed, label, model, hasWeights)
  const trained = hasWeights ? trainedHere(spec) : undefined
  const attack = stage(
    'attack',
    titled(seed, `attack ${label}`),
    {
      samples: spec.attack.samples,
      seed: spec.seed.split,
      ...(spec.attack.scores && { scores: spec.attack.scores }),
    },
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
        ...(gold && { goldModel: gold, goldEvaluation: goldEvaluation ?? ref(evaluate) }),
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
