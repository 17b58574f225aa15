import { executionOf, programParams, type ProgramExecution, type ProgramParams } from '../spec/program.ts'
import { trainedHere, withTraining, type Spec, type TrainedHere } from '../spec/spec.ts'
import type { StageInputs, StageOf } from '../stages/stage.ts'
import type { StageMaker } from './stage-maker.ts'

/** Trains a model on all training samples or on the retained set. */
export function trainStage(
  stage: StageMaker,
  spec: Spec,
  on: 'all' | 'retained',
  inputs: StageInputs['train'],
  seed: number,
  title: string,
): StageOf<'train'> {
  const { params, execution } = trainerOf(spec)
  return stage('train', title, { on, ...params, seed }, inputs, execution)
}

/**
 * Makes an untrained model. It has random streams of its own, which initialise no trained model.
 * Returns undefined if the models are those of an external program, which only trains them.
 */
export function untrainedStage(
  stage: StageMaker,
  spec: Spec,
  inputs: StageInputs['train'],
  seed: number,
  title: string,
): StageOf<'train'> | undefined {
  const trained = trainedHere(spec)
  return trained && stage('train', title, { on: 'nothing', ...trained, seed }, inputs)
}

/** Trains shadow model `index`, counted from 0. */
export function shadowStage(
  stage: StageMaker,
  spec: Spec,
  inputs: StageInputs['shadow'],
  index: number,
): StageOf<'shadow'> {
  const { params, execution } = trainerOf(spec)
  const title = `train shadow ${index + 1}`
  return stage('shadow', title, { ...params, seed: spec.seed.training, index }, inputs, execution)
}

/** How the models of an experiment are trained: here, or by an external program. */
function trainerOf({ model, training }: Spec): {
  readonly params: TrainedHere | { readonly program: ProgramParams }
  readonly execution?: ProgramExecution
} {
  if (model.name !== 'external') return { params: withTraining(model, training) }
  return { params: { program: programParams(model, model.result) }, execution: executionOf(model) }
}

/**
 * Evaluates one model, 500 samples at a time, or takes the logits of one without weights. If
 * samples of some classes or listed samples are forgotten, it also computes the accuracy on test
 * samples in their class shares.
 */
export function evaluateStage(
  stage: StageMaker,
  { model, split }: Spec,
  inputs: StageInputs['evaluate'],
  title: string,
  hasWeights = true,
): StageOf<'evaluate'> {
  const isMatched = inputs.split && ['class-fraction', 'indices', 'names'].includes(split.kind)
  const matched = isMatched ? ({ matched: true } as const) : {}
  return model.name === 'external' || !hasWeights
    ? stage('evaluate', title, { program: 'logits', ...matched }, inputs)
    : stage('evaluate', title, { model, batchSize: 500, ...matched }, inputs)
}
