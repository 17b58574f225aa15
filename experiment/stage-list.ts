import type { Candidate, Plan } from './plan.ts'
import type { Stage } from './stages.ts'

/** Every stage once, in an order in which inputs come first. Two candidates may share stages. */
export function stagesOf(plan: Plan): readonly Stage[] {
  return [...new Map(mentionsOf(plan).map((stage) => [stage.key, stage])).values()]
}

/** Every mention of a stage: one that candidates share comes once for each, with the title that each gives it. */
export function mentionsOf(plan: Plan): readonly Stage[] {
  const judged = [plan.reference, ...plan.candidates, ...plan.floor]
  return [
    plan.dataset,
    plan.split,
    plan.original,
    ...plan.gold,
    ...plan.candidates.flatMap(({ unlearn }) => (unlearn ? [unlearn] : [])),
    ...judged.map(({ evaluate }) => evaluate),
    ...judged.map(({ attack }) => attack),
    ...[...plan.candidates, ...plan.floor].map(({ compare }) => compare),
  ]
}

/** The stage that makes a candidate's model: its unlearning, or the training of one of the plan's models. */
export function makerOf(plan: Plan, { unlearn, model }: Candidate): Stage | undefined {
  return unlearn ?? [plan.original, ...plan.gold].find(({ key }) => key === model.key)
}
