import type {
  Candidate,
  JudgingStages,
  Plan,
  SeedPlan,
  TunedRow,
  TuningPlan,
} from '../experiment/plan/types.ts'
import type { FeatureMaps } from '../experiment/records/feature-maps.ts'
import type { Manifest, ManifestOf } from '../experiment/records/manifest.ts'
import { NO_GOLD, NO_WEIGHTS } from '../experiment/records/no-gold.ts'
import type { Outcomes } from '../experiment/records/outcomes.ts'
import type { RunLabels } from '../experiment/records/run-labels.ts'
import type { RunRecord } from '../experiment/records/run.ts'
import {
  makerOf,
  mentionsOf,
  rowsOf,
  seedsOf,
  trialStages,
  tuningSeedStages,
} from '../experiment/stages/stage-list.ts'
import { isOfProgram, type Stage, type StageKind, type StageOf } from '../experiment/stages/stage.ts'

/** The run and its results, from which a report is made. */
export interface ReportInput {
  readonly run: RunRecord
  /** Manifests of the stages that finished, by stage key. */
  readonly manifests: Readonly<Record<string, Manifest>>
  readonly failed: readonly { readonly title: string; readonly reason: string }[]
  /** The tags and the note that a user gave to the run. They are in no digest. */
  readonly labels?: RunLabels
  /** The maps that are drawn, by the key of their stage. Those that the store lacks are absent. */
  readonly maps?: Readonly<Record<string, FeatureMaps>>
  /** Counts, curves and margins from the logits of the models. They are in no digest of the run. */
  readonly outcomes?: Outcomes
}

/** The manifest of a stage, if the stage finished. */
export function manifestOf<K extends StageKind>(
  { manifests }: Pick<ReportInput, 'manifests'>,
  stage: Pick<StageOf<K>, 'key'>,
): ManifestOf<K> | undefined {
  return manifests[stage.key] as ManifestOf<K> | undefined
}

/** The models of one row of the results, one for each seed. */
export type RowModels = readonly { readonly seed: SeedPlan; readonly candidate: Candidate }[]

/** The models of each row of the results: candidates, then further gold models (the floor). */
export function modelsBehind(plan: Plan): readonly RowModels[] {
  const seeds = seedsOf(plan)
  return rowsOf(plan).map((_, i) =>
    seeds.flatMap((seed) =>
      rowsOf(seed)
        .slice(i, i + 1)
        .map((candidate) => ({ seed, candidate })),
    ),
  )
}

/** The stages that make and evaluate a row's model for one seed, inputs first. */
export function stagesBehind(seed: SeedPlan, candidate: Candidate): readonly Stage[] {
  const maker = makerOf(seed, candidate)
  const { unlearn, given, evaluate, attack, compare } = candidate
  const { original, reference, twin, originalEvaluation } = seed
  return [
    ...(unlearn ? [original] : []),
    ...(given ? [given.checkpoint] : []),
    ...(maker ? [maker] : []),
    evaluate,
    attack,
    ...(reference ? [reference.evaluate, reference.attack] : []),
    ...(twin ? [twin.model, twin.evaluate] : []),
    ...(originalEvaluation ? [originalEvaluation] : []),
    compare,
  ]
}

/**
 * The reason why a chain of stages has no result: the failure of the first stage without one, or
 * that it did not finish. Each stage is an input of the next.
 */
export function whyMissing(input: ReportInput, stages: readonly Stage[]): string {
  const { plan } = input.run
  for (const { key, title } of stages.flatMap((stage) => [...tuningBehind(plan, stage), stage])) {
    if (key in input.manifests) continue
    // Candidates may share a stage under different titles.
    const titles = mentionsOf(plan).flatMap((stage) => (stage.key === key ? [stage.title] : []))
    const failure = input.failed.find((failed) => titles.includes(failed.title))
    return failure ? `${failure.title} failed: ${failure.reason}` : notFinished(title)
  }
  return 'its stages left no figure'
}

/** The stages that choose the options of a stage, inputs first. Empty if it is not tuned. */
function tuningBehind({ tuning }: Plan, stage: Stage): readonly Stage[] {
  if (!tuning || stage.kind !== 'unlearn' || !stage.inputs.tuned) return []
  const { key } = stage.inputs.tuned
  const row = tuning.rows.find(({ rounds }) => rounds.at(-1)?.ranking.key === key)
  return row ? tuningStagesOf(tuning, row) : []
}

/** The stages of a row's tuning, inputs first. */
export function tuningStagesOf({ seeds }: TuningPlan, row: TunedRow): readonly Stage[] {
  return [...seeds.flatMap(tuningSeedStages), ...trialStages(row)]
}

/**
 * The reason why a model has no stage of a kind that the config requests. Undefined if it has one,
 * or if nothing rules it out.
 */
export function whyUnplanned(
  { plan }: Pick<ReportInput['run'], 'plan'>,
  model: Pick<JudgingStages, 'evaluate'>,
  { needsGold, needsWeights }: { readonly needsGold: boolean; readonly needsWeights: boolean },
): string | undefined {
  if (needsGold && plan.gold.length === 0) return NO_GOLD
  return needsWeights && isOfProgram(model.evaluate) ? NO_WEIGHTS : undefined
}

/** The reason given for a stage that has no result and did not fail. */
export function notFinished(title: string): string {
  return `the stage "${title}" did not finish`
}
