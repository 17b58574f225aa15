import type {
  Candidate,
  JudgingStages,
  Plan,
  SeedPlan,
  TunedRow,
  TuningPlan,
  TuningSeed,
} from '../plan/types.ts'
import { requestedKinds } from './requested.ts'
import type { Stage } from './stage.ts'

/** Every stage once, inputs before the stages that read them. Two candidates may share stages. */
export function stagesOf(plan: Plan): readonly Stage[] {
  return [...new Map(mentionsOf(plan).map((stage) => [stage.key, stage])).values()]
}

/**
 * Every mention of a stage: a stage that candidates share comes once for each, with the title that
 * each gives it.
 */
export function mentionsOf(plan: Plan): readonly Stage[] {
  const ranked = plan.ranking ? [plan.original, plan.ranking] : []
  const populations = (plan.population ?? []).map(({ stage }) => stage)
  const shadows = plan.shadow ? [...plan.shadow.models, plan.shadow.pool] : []
  return [
    plan.dataset,
    ...(plan.checkpoint ? [plan.checkpoint] : []),
    ...(plan.given ?? []),
    ...(plan.programs ?? []),
    ...ranked,
    plan.split,
    ...(plan.tuning ? tuningStages(plan.tuning) : []),
    ...seedsOf(plan).flatMap(ownStages),
    ...populations,
    ...shadows,
    ...judgingStagesOf(plan, 'membership'),
    ...requestedKinds.flatMap((kind) => judgingStagesOf(plan, kind)),
  ]
}

/** The stages of one kind that judge models, seed by seed, gold first. */
export function judgingStagesOf<K extends keyof JudgingStages>(
  plan: Plan,
  kind: K,
): readonly NonNullable<JudgingStages[K]>[] {
  return seedsOf(plan)
    .flatMap(judgedOf)
    .flatMap(({ [kind]: stage }) => stage ?? [])
}

/** The stages of each seed, in the order of the seeds. */
export function seedsOf(plan: Plan): readonly SeedPlan[] {
  return [plan, ...(plan.seeds ?? [])]
}

/** The rows of a seed: the models of the methods, then the further gold models. */
export function rowsOf({ candidates, floor }: SeedPlan): readonly Candidate[] {
  return [...candidates, ...floor]
}

/** The stages that judge each model of a seed: gold first, if there is one, then the rows. */
export function judgedOf(seed: SeedPlan): readonly JudgingStages[] {
  return [...(seed.reference ? [seed.reference] : []), ...rowsOf(seed)]
}

function tuningStages({ seeds, rows }: TuningPlan): readonly Stage[] {
  return [...seeds.flatMap(tuningSeedStages), ...rows.flatMap(trialStages)]
}

/** The stages of one tuning seed, each of which needs those before it. */
export function tuningSeedStages({
  original,
  ranking,
  split,
  originalEvaluation,
}: TuningSeed): readonly Stage[] {
  return [original, ...(ranking ? [ranking] : []), split, originalEvaluation]
}

/** The trials and rankings of a row, round by round. */
export function trialStages({ rounds }: TunedRow): readonly Stage[] {
  return rounds.flatMap(({ trials, ranking }) => [...trials, ranking])
}

function ownStages(seed: SeedPlan): readonly Stage[] {
  const judged = judgedOf(seed)
  return [
    seed.original,
    ...seed.gold,
    ...(seed.twin ? [seed.twin.model] : []),
    ...seed.candidates.flatMap(({ unlearn }) => (unlearn ? [unlearn] : [])),
    ...seed.candidates.flatMap(({ given }) => (given ? [given.checkpoint, given.model] : [])),
    ...judged.map(({ evaluate }) => evaluate),
    ...(seed.originalEvaluation ? [seed.originalEvaluation] : []),
    ...(seed.twin ? [seed.twin.evaluate] : []),
    ...judged.map(({ attack }) => attack),
    ...rowsOf(seed).map(({ compare }) => compare),
  ]
}

/**
 * The stage that makes a candidate's model: its unlearning, the training of one of the seed's
 * models, or the stage that takes a model from elsewhere.
 */
export function makerOf(
  { original, gold }: Pick<SeedPlan, 'original' | 'gold'>,
  { unlearn, given, model }: Candidate,
): Stage | undefined {
  return unlearn ?? given?.model ?? [original, ...gold].find(({ key }) => key === model.key)
}
