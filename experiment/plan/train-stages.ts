import type { Spec } from '../spec/spec.ts'
import type { StageInputs, StageOf, StageParams } from '../stages/stage.ts'
import type { StageMaker } from './stage-maker.ts'

/**
 * Trains a model on all training samples, on the retained set, or on nothing. A model that is
 * trained on nothing has random streams of its own, which initialise no trained model.
 */
export function trainStage(
  stage: StageMaker,
  { model, training }: Spec,
  on: StageParams['train']['on'],
  inputs: StageInputs['train'],
  seed: number,
  title: string,
): StageOf<'train'> {
  return stage('train', title, { on, model, training, seed }, inputs)
}

/** Evaluates one model, 500 samples at a time. */
export function evaluateStage(
  stage: StageMaker,
  { model }: Spec,
  inputs: StageInputs['evaluate'],
  title: string,
): StageOf<'evaluate'> {
  return stage('evaluate', title, { model, batchSize: 500 }, inputs)
}
