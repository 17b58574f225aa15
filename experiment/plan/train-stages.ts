import type { Spec } from '../spec/spec.ts'
import type { StageInputs, StageOf } from '../stages/stage.ts'
import type { StageMaker } from './stage-maker.ts'

/** Trains on the retained set if there is a split, otherwise on all training samples. */
export function trainStage(
  stage: StageMaker,
  { model, training }: Spec,
  inputs: StageInputs['train'],
  seed: number,
  title: string,
): StageOf<'train'> {
  return stage('train', title, { on: inputs.split ? 'retained' : 'all', model, training, seed }, inputs)
}

/** An untrained model. Its random streams differ from those that initialise trained models. */
export function twinStage(
  stage: StageMaker,
  { model, training }: Spec,
  inputs: StageInputs['train'],
  seed: number,
  title: string,
): StageOf<'train'> {
  return stage('train', title, { on: 'nothing', model, training, seed }, inputs)
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
