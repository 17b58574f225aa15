import {
  isOfProgram,
  type OwnParamsOf,
  type ProgramParamsOf,
  type StageKind,
  type StageParams,
} from '../../experiment/stages/stage.ts'
import type { ProgramKind } from '../../experiment/stages/code.ts'
import {
  stageActivity,
  type AnyBody,
  type ProgramBody,
  type StageBody,
  type StageContext,
  type StageDone,
  type StageOptions,
  type StageTask,
} from '../runtime/stage.ts'

/** The activity of each stage kind. It has the kind's name. */
export type StageActivities = {
  readonly [K in StageKind]: (task: StageTask<K>) => Promise<StageDone>
}

/**
 * Each body loads when it first runs, so that a worker that finds all results in the store loads no
 * TensorFlow.
 */
export function stageActivities(options: StageOptions): StageActivities {
  return {
    dataset: stageActivity('dataset', async () => (await import('./dataset.ts')).dataset, options),
    split: stageActivity('split', async () => (await import('./split.ts')).split, options),
    checkpoint: stageActivity(
      'checkpoint',
      async () => (await import('./checkpoint.ts')).checkpoint,
      options,
    ),
    program: stageActivity('program', async () => (await import('./program.ts')).program, options),
    train: stageActivity(
      'train',
      eitherBody(
        async () => (await import('./train.ts')).train,
        async () => (await import('../programs/train.ts')).train,
      ),
      options,
    ),
    trial: stageActivity('trial', async () => (await import('./trial.ts')).trial, options),
    tune: stageActivity('tune', async () => (await import('./tune.ts')).tune, options),
    unlearn: stageActivity(
      'unlearn',
      eitherBody(
        async () => (await import('./unlearn.ts')).unlearn,
        async () => (await import('../programs/unlearn.ts')).unlearn,
      ),
      options,
    ),
    evaluate: stageActivity(
      'evaluate',
      eitherBody(
        async () => (await import('./evaluate.ts')).evaluate,
        async () => (await import('../programs/evaluate.ts')).evaluate,
      ),
      options,
    ),
    attack: stageActivity('attack', async () => (await import('./attack.ts')).attack, options),
    compare: stageActivity('compare', async () => (await import('./compare.ts')).compare, options),
    population: stageActivity(
      'population',
      async () => (await import('./population.ts')).population,
      options,
    ),
    shadow: stageActivity(
      'shadow',
      eitherBody(
        async () => (await import('./shadow.ts')).shadow,
        async () => (await import('../programs/shadow.ts')).shadow,
      ),
      options,
    ),
    pool: stageActivity('pool', async () => (await import('./pool.ts')).pool, options),
    membership: stageActivity(
      'membership',
      async () => (await import('./membership.ts')).membership,
      options,
    ),
    relearn: stageActivity('relearn', async () => (await import('./relearn.ts')).relearn, options),
    probe: stageActivity('probe', async () => (await import('./probe.ts')).probe, options),
    ruli: stageActivity('ruli', async () => (await import('./ruli.ts')).ruli, options),
    agreement: stageActivity('agreement', async () => (await import('./agreement.ts')).agreement, options),
    features: stageActivity('features', async () => (await import('./features.ts')).features, options),
  }
}

/**
 * Loads the body of a stage: that of Zeroshift, or the one that executes an external program. Each
 * is code of its own, so that a change of one leaves the results of the other valid.
 */
function eitherBody<K extends ProgramKind>(
  own: () => Promise<StageBody<K>>,
  ofProgram: () => Promise<ProgramBody<K>>,
): () => Promise<AnyBody<K>> {
  return () =>
    Promise.resolve(async (context: StageContext<K, StageParams[K]>) => {
      if (isForProgram(context)) return (await ofProgram())(context)
      if (isOwn(context)) return (await own())(context)
      throw new Error(`'${context.stage.title}' is no stage of a known form`)
    })
}

function isForProgram<K extends ProgramKind>(
  context: StageContext<K, StageParams[K]>,
): context is StageContext<K, StageParams[K]> & StageContext<K, ProgramParamsOf<K>> {
  return isOfProgram(context.stage)
}

function isOwn<K extends ProgramKind>(
  context: StageContext<K, StageParams[K]>,
): context is StageContext<K, StageParams[K]> & StageContext<K, OwnParamsOf<K>> {
  return !isOfProgram(context.stage)
}
