import type { Candidate, SeedPlan } from '../experiment/plan/plan.ts'
import { makerOf, seedsOf } from '../experiment/stages/stage-list.ts'
import type { Stage } from '../experiment/stages/stage.ts'
import { modelsBehind, type ReportInput } from './results.ts'

/** A model that is judged: of a row, or gold as such. */
export type Judged = SeedPlan['reference'] | Candidate

/** A row of one of the tables beside the results'. */
export interface JudgedRow<T> {
  readonly label: string
  readonly isFloor: boolean
  /** One a seed. */
  readonly seeds: readonly T[]
}

/** Gold first, unless it is a row of its own; then every row of the results. */
export function judgedRows<T>(
  { run: { plan } }: ReportInput,
  of: (seed: SeedPlan, judged: Judged) => T,
): readonly JudgedRow<T>[] {
  const rows = modelsBehind(plan).map((models, i): JudgedRow<T> => ({
    label: models[0]?.candidate.label ?? '',
    isFloor: i >= plan.candidates.length,
    seeds: models.map(({ seed, candidate }) => of(seed, candidate)),
  }))
  if (plan.candidates.some(({ method }) => method === 'retrain')) return rows
  const gold = seedsOf(plan).map((seed) => of(seed, seed.reference))
  return [{ label: 'gold', isFloor: false, seeds: gold }, ...rows]
}

/** The stages that make a judged model. */
export function makersOf(seed: SeedPlan, judged: Judged): readonly Stage[] {
  if (!('model' in judged)) return seed.gold.slice(0, 1)
  const maker = makerOf(seed, judged)
  return [...(judged.unlearn ? [seed.original] : []), ...(maker ? [maker] : [])]
}
