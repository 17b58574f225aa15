import type { Plan } from './plan.ts'
import type { Stage } from './stages.ts'

/** Every stage once, in an order in which inputs come first. Two candidates may share stages. */
export function stagesOf(plan: Plan): readonly Stage[] {
  const judged = [plan.reference, ...plan.candidates, ...plan.floor]
  const all: Stage[] = [
    plan.dataset,
    plan.split,
    plan.original,
    ...plan.gold,
    ...plan.candidates.flatMap(({ unlearn }) => (unlearn ? [unlearn] : [])),
    ...judged.map(({ evaluate }) => evaluate),
    ...judged.map(({ attack }) => attack),
    ...[...plan.candidates, ...plan.floor].map(({ compare }) => compare),
  ]
  return [...new Map(all.map((stage) => [stage.key, stage])).values()]
}
