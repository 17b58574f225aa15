import { findDataDirectory } from '../../activities/inputs/data-directory.ts'
import { createActivities } from '../../activities/index.ts'
import { changedCode, codeNames } from '../../activities/runtime/code-digests.ts'
import { openArtifacts, type Artifacts } from '../../artifacts/artifacts.ts'
import { inspectDataset } from '../../datasets/index.ts'
import { plan } from '../../experiment/plan/plan.ts'
import type { Plan } from '../../experiment/plan/types.ts'
import type { Manifest, ManifestOf } from '../../experiment/records/manifest.ts'
import type { RunInput, RunSettings } from '../../experiment/records/run.ts'
import type { Spec } from '../../experiment/spec/spec.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import type { StageKind, StageOf } from '../../experiment/stages/stage.ts'
import { quietEnvironment } from './activity-environment.ts'
import { fileDirectory } from './directories.ts'

/** An experiment whose stages are all computed, in a store of its own. */
export interface ComputedPlan {
  readonly plan: Plan
  readonly artifacts: Artifacts
  /** The manifest that a stage left. Fails if there is none. */
  readonly manifestOf: <K extends StageKind>(stage: StageOf<K> | undefined) => Promise<ManifestOf<K>>
}

/**
 * Computes all stages of an experiment in this process, without Temporal. `places`: of models from
 * elsewhere, by the digest of their files.
 */
export async function computePlan(
  spec: Spec,
  places: NonNullable<RunSettings['places']> = {},
): Promise<ComputedPlan> {
  const store = fileDirectory()
  const artifacts = openArtifacts(store)
  const facts = await inspectDataset(spec.data, await findDataDirectory(spec.data, {}))
  // Code that the lock does not know yet is computed too.
  const planned = plan(spec, facts, await changedCode(codeNames))
  return computeStages(planned, artifacts, { store, places })
}

/**
 * Computes the stages of a plan in this process. `bodies`: activities that take the place of
 * others.
 */
export async function computeStages(
  planned: Plan,
  artifacts: Artifacts,
  settings: RunInput['settings'],
  bodies: Partial<Record<StageKind, unknown>> = {},
): Promise<ComputedPlan> {
  const activities = { ...createActivities({ allowsPrograms: true }), ...bodies }
  for (const stage of stagesOf(planned)) {
    const activity = activities[stage.kind] as (task: object) => Promise<object>
    await quietEnvironment().run(activity, { stage, settings })
  }
  return {
    plan: planned,
    artifacts,
    manifestOf: async <K extends StageKind>(stage: StageOf<K> | undefined) => {
      const manifest: Manifest | undefined = stage && (await artifacts.manifest(stage))
      if (!manifest) throw new Error(`${stage?.title ?? 'a stage'} left no manifest`)
      return manifest as ManifestOf<K>
    },
  }
}
