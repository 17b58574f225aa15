import { openArtifacts, type Artifacts } from '../../artifacts/artifacts.ts'
import { StoreView } from '../../artifacts/store-view.ts'
import { UserError } from '../../common/errors.ts'
import { planParts, type PlanPart } from '../../experiment/plan/run-parts.ts'
import { recordOf, type KeptRun, type RunInput, type RunRecord } from '../../experiment/records/run.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import type { StageRef } from '../../experiment/stages/stage.ts'
import type { KnownRuns } from './known-runs.ts'
import type { StageDone } from './stage.ts'

export interface KeptTask {
  readonly run: RunRecord | KeptRun
  readonly settings: RunInput['settings']
}

/** A run whose record is in the store, with those of its stages that have results there. */
export interface KeptCell extends RunInput {
  readonly kept: readonly StageDone[]
}

/**
 * One part of a stored run's plan. If it is the only part, `kept` has the stages with results in
 * the store.
 */
export interface StoredPart extends PlanPart {
  readonly kept?: readonly StageDone[]
}

/**
 * Writes the record of a run into the store, so that the run can be resumed and `gc` keeps its
 * stages. Returns those of its stages that have results in the store: they need no activity.
 */
export async function keptStages({ run, settings }: KeptTask): Promise<readonly StageDone[]> {
  const artifacts = openArtifacts(settings.store)
  const isStored = !('plan' in run)
  const record = isStored ? await recordIn(artifacts, run) : recordOf({ run, settings })
  if (!isStored) await artifacts.putRun(record)
  await artifacts.markOwn(run.id)
  return keptOf(artifacts, record)
}

/**
 * Returns one part of the plan of a run, counted from 0. Throws a UserError if there is no such
 * part.
 */
export async function storedPart(
  artifacts: Artifacts,
  runs: KnownRuns,
  { id, part }: { readonly id: string; readonly part: number },
): Promise<StoredPart> {
  const record = await runs.record(artifacts, id, { anew: part === 0 })
  const { texts, byKey } = planParts(record.plan)
  const text = texts[part]
  if (text === undefined)
    throw new UserError(`the plan of '${id}' has ${texts.length} pieces, and piece ${part + 1} was asked for`)
  const { settings = {} } = record
  return {
    ...{ text, parts: texts.length, byKey, settings },
    ...(texts.length === 1 && { kept: await keptOf(artifacts, record) }),
  }
}

/** Returns a run with its settings, and those of its stages that have results in the store. */
export async function keptCell(artifacts: Artifacts, id: string): Promise<KeptCell> {
  const { failed: _, settings, ...run } = await recordIn(artifacts, { id })
  return { run, settings: { ...settings, store: artifacts.store.url }, kept: await keptOf(artifacts, run) }
}

/**
 * Returns the record of a run, from the store unless it is given. Throws a UserError if it is
 * missing there.
 */
export async function recordIn(artifacts: Artifacts, run: RunRecord | KeptRun): Promise<RunRecord> {
  if ('plan' in run) return run
  const record = await artifacts.run(run.id)
  if (!record) throw new UserError(`the store ${artifacts.store.url} has no run '${run.id}' any more`)
  return record
}

/**
 * The stages of a run that have results in the store, inputs before the stages that use them. A
 * stage is left out if one of its inputs has no result: once the input is computed, it may be
 * another one than the stage was computed from.
 */
async function keptOf(artifacts: Artifacts, { plan }: RunRecord): Promise<readonly StageDone[]> {
  const stages = stagesOf(plan)
  const view = new StoreView(artifacts)
  const complete = await Promise.all(stages.map((stage) => view.complete(stage)))
  const kept = new Map<string, StageDone>()
  for (const [i, { key, inputs }] of stages.entries()) {
    const found = complete[i]
    const isReady = Object.values<StageRef>(inputs).every((input) => kept.has(input.key))
    if (found && isReady) kept.set(key, { key, digest: found.digest, cached: true, seconds: found.seconds })
  }
  return [...kept.values()]
}
