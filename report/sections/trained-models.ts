import type { Plan } from '../../experiment/plan/types.ts'
import { seedsOf } from '../../experiment/stages/stage-list.ts'
import type { StageOf } from '../../experiment/stages/stage.ts'

/** A model that is trained from scratch. */
export interface TrainedModel {
  readonly label: string
  /** The name of its colour in the style sheet. */
  readonly colour: string
  /** The stages that train it, one for each seed. */
  readonly stages: readonly StageOf<'train'>[]
}

/** The original and the gold models. */
export function trainedModels(plan: Plan): readonly TrainedModel[] {
  const several = plan.seeds !== undefined
  return [plan.original, ...plan.gold].map((_, i) => ({
    label: i === 0 ? 'original' : i === 1 ? 'gold' : `gold${several ? '' : ', seed'} ${i}`,
    colour: `series-${i % 10}`,
    stages: seedsOf(plan).flatMap(({ original, gold }) => [original, ...gold].slice(i, i + 1)),
  }))
}
