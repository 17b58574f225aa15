import type { StageKind } from '../../experiment/stages/stage.ts'
import { stageActivity, type StageDone, type StageOptions, type StageTask } from '../runtime/stage.ts'

/** The activity of each stage kind. It has the kind's name. */
export type StageActivities = {
  readonly [K in StageKind]: (task: StageTask<K>) => Promise<StageDone>
}

/**
 * Each body loads when it first runs, so that a worker that finds all results in the store loads no
 * TensorFlow. The body that executes an external program is code of its own, so that a change of
 * one leaves the results of the other valid.
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
      async () => (await import('./train.ts')).train,
      options,
      async () => (await import('../programs/train.ts')).train,
    ),
    trial: stageActivity('trial', async () => (await import('./trial.ts')).trial, options),
    tune: stageActivity('tune', async () => (await import('./tune.ts')).tune, options),
    unlearn: stageActivity(
      'unlearn',
      async () => (await import('./unlearn.ts')).unlearn,
      options,
      async () => (await import('../programs/unlearn.ts')).unlearn,
    ),
    evaluate: stageActivity(
      'evaluate',
      async () => (await import('./evaluate.ts')).evaluate,
      options,
      async () => (await import('../programs/evaluate.ts')).evaluate,
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
      async () => (await import('./shadow.ts')).shadow,
      options,
      async () => (await import('../programs/shadow.ts')).shadow,
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
    maps: stageActivity('maps', async () => (await import('./maps.ts')).maps, options),
  }
}
