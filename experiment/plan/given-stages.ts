import type { ModelSpec } from '../spec/model.ts'
import type { GivenModel } from '../spec/given.ts'
import type { StageRef } from '../stages/stage.ts'
import { ref, type StageMaker } from './stage-maker.ts'
import type { GivenStages } from './types.ts'

/**
 * The stages that make a model from files of elsewhere: one stores what the files contain, and the
 * other one makes the model of it. Neither depends on a split, a training or a seed.
 */
export function givenStages(
  stage: StageMaker,
  model: ModelSpec,
  given: GivenModel,
  {
    dataset,
    original,
    name,
  }: {
    readonly dataset: StageRef<'dataset'>
    /** The model that an adapter changes. */
    readonly original?: StageRef<'train'>
    /** The name of the model in the titles of the stages. */
    readonly name: string
  },
): GivenStages {
  const title = `read files of ${name}`
  const checkpoint =
    given.kind === 'checkpoint'
      ? stage('checkpoint', title, { checkpoint: given.checkpoint }, {})
      : given.kind === 'adapter' && original
        ? stage('checkpoint', title, { given, model }, { dataset, original })
        : stage('checkpoint', title, { given }, {})
  return {
    checkpoint,
    model: stage('train', `take ${name}`, { on: 'given', model }, { dataset, checkpoint: ref(checkpoint) }),
  }
}
