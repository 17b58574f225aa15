import type { Candidate, JudgingStages, SeedPlan } from '../../experiment/plan/types.ts'
import { makerOf, seedsOf } from '../../experiment/stages/stage-list.ts'
import type { Stage } from '../../experiment/stages/stage.ts'
import { modelsBehind, type ReportInput } from '../input.ts'

export { modelTable, type ModelColumn } from './model-table.ts'

/** A model that stages evaluate: of a row of the results, or gold if it is no row. */
export type EvaluatedModel = JudgingStages | Candidate

/** A row of a table that stands beside the results, with what each seed's stages found. */
export interface ModelRow<T> {
  readonly label: string
  readonly isFloor: boolean
  /** One entry for each seed. */
  readonly seeds: readonly T[]
}

/** Every row of the results. Gold precedes them unless it is one of them or there is none. */
export function modelRows<T>(
  { run: { plan } }: ReportInput,
  of: (seed: SeedPlan, model: EvaluatedModel) => T,
): readonly ModelRow<T>[] {
  const rows = modelsBehind(plan).map((models, i): ModelRow<T> => ({
    label: models[0]?.candidate.label ?? '',
    isFloor: i >= plan.candidates.length,
    seeds: models.map(({ seed, candidate }) => of(seed, candidate)),
  }))
  if (plan.candidates.some(({ method }) => method === 'retrain')) return rows
  const gold = seedsOf(plan).flatMap((seed) => (seed.reference ? [of(seed, seed.reference)] : []))
  if (gold.length === 0) return rows
  return [{ label: 'gold', isFloor: false, seeds: gold }, ...rows]
}

/** The stages that make a model. */
export function makersOf(seed: SeedPlan, model: EvaluatedModel): readonly Stage[] {
  if (!('model' in model)) return seed.gold.slice(0, 1)
  const maker = makerOf(seed, model)
  const { unlearn, given } = model
  return [
    ...(unlearn ? [seed.original] : []),
    ...(given ? [given.checkpoint] : []),
    ...(maker ? [maker] : []),
  ]
}
