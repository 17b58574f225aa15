import type { Candidate, Plan, SeedPlan } from '../plan/plan.ts'
import type { Stage, StageOf } from './stage.ts'

/** Every stage once, in an order in which inputs come first. Two candidates may share stages. */
export function stagesOf(plan: Plan): readonly Stage[] {
  return [...new Map(mentionsOf(plan).map((stage) => [stage.key, stage])).values()]
}

/** Every mention of a stage: one that candidates share comes once for each, with the title that each gives it. */
export function mentionsOf(plan: Plan): readonly Stage[] {
  const ranked = plan.ranking ? [plan.original, plan.ranking] : []
  const populations = (plan.population ?? []).map(({ stage }) => stage)
  const shadows = plan.shadow ? [...plan.shadow.models, plan.shadow.pool] : []
  return [
    plan.dataset,
    ...(plan.checkpoint ? [plan.checkpoint] : []),
    ...ranked,
    plan.split,
    ...seedsOf(plan).flatMap(ownStages),
    ...populations,
    ...shadows,
    ...membershipsOf(plan),
    ...relearningOf(plan),
    ...probesOf(plan),
  ]
}

/** The attacks by shadow models, those of a seed's gold first. */
export function membershipsOf(plan: Plan): readonly StageOf<'membership'>[] {
  return seedsOf(plan)
    .flatMap((seed) => [seed.reference, ...rowsOf(seed)])
    .flatMap(({ membership }) => membership ?? [])
}

/** How fast models learn the forget set again, where it is asked, those of a seed's gold first. */
export function relearningOf(plan: Plan): readonly StageOf<'relearn'>[] {
  return seedsOf(plan)
    .flatMap((seed) => [seed.reference, ...rowsOf(seed)])
    .flatMap(({ relearn }) => relearn ?? [])
}

/** What models' features still know, likewise. */
export function probesOf(plan: Plan): readonly StageOf<'probe'>[] {
  return seedsOf(plan)
    .flatMap((seed) => [seed.reference, ...rowsOf(seed)])
    .flatMap(({ probe }) => probe ?? [])
}

/** What each seed trains and judges, in their order. */
export function seedsOf(plan: Plan): readonly SeedPlan[] {
  return [plan, ...(plan.seeds ?? [])]
}

/** The models that a seed judges beside its gold: those of the methods, then the further gold ones. */
export function rowsOf({ candidates, floor }: SeedPlan): readonly Candidate[] {
  return [...candidates, ...floor]
}

function ownStages(seed: SeedPlan): readonly Stage[] {
  const judged = [seed.reference, ...rowsOf(seed)]
  return [
    seed.original,
    ...seed.gold,
    ...(seed.twin ? [seed.twin.model] : []),
    ...seed.candidates.flatMap(({ unlearn }) => (unlearn ? [unlearn] : [])),
    ...judged.map(({ evaluate }) => evaluate),
    ...(seed.originalEvaluation ? [seed.originalEvaluation] : []),
    ...(seed.twin ? [seed.twin.evaluate] : []),
    ...judged.map(({ attack }) => attack),
    ...rowsOf(seed).map(({ compare }) => compare),
  ]
}

/** The stage that makes a candidate's model: its unlearning, or the training of one of its seed's models. */
export function makerOf(
  { original, gold }: Pick<SeedPlan, 'original' | 'gold'>,
  { unlearn, model }: Candidate,
): Stage | undefined {
  return unlearn ?? [original, ...gold].find(({ key }) => key === model.key)
}
