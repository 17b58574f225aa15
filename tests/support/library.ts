import type { Artifacts } from '../../artifacts/artifacts.ts'
import { checkStore, type CheckedStore } from '../../artifacts/check/check-store.ts'
import { mapConcurrently } from '../../common/concurrency.ts'
import { StoreView } from '../../artifacts/store-view.ts'
import { reportFlaw, SharedManifests } from '../../activities/stored-outcome.ts'
import type { BlobRef, Manifest } from '../../experiment/records/manifest.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import type { Stage, StageRef } from '../../experiment/stages/stage.ts'
import type { SweepRecord } from '../../experiment/sweep/sweep.ts'

/** A run whose stages have all been computed, with a made-up blob each. */
export async function storeRun(artifacts: Artifacts, run: RunRecord): Promise<void> {
  for (const stage of stagesOf(run.plan)) await storeStage(artifacts, stage)
  await artifacts.putRun(run)
  await artifacts.putReport(run.id, { 'index.html': `the report of ${run.id}` })
}

/** A stage that has been computed; stages of the same content have the same blob. */
export async function storeStage(
  artifacts: Artifacts,
  { title: _, ...stage }: Stage,
  content = `the blob of ${stage.key}`,
): Promise<BlobRef> {
  const view = new StoreView(artifacts)
  const inputDigests = await Promise.all(
    Object.entries<StageRef>(stage.inputs).map(async ([name, input]) => [
      name,
      (await view.stage(input))?.digest ?? '0'.repeat(64),
    ]),
  )
  const output = await artifacts.putBlob(new TextEncoder().encode(content))
  await artifacts.commit({
    ...stage,
    inputDigests: Object.fromEntries(inputDigests) as Record<string, string>,
    outputs: { output },
    metrics: {},
    clock: {
      seconds: 1,
      finishedAt: '2026-01-01T00:00:00.000Z',
      environment: { zeroshift: '0', node: 'v20', platform: 'linux-x64' },
    },
  } as unknown as Manifest)
  return output
}

/** A sweep whose cells are these runs. */
export function sampleSweep(id: string, runs: readonly string[]): SweepRecord {
  return {
    ...{ id, name: id, columns: [], command: { config: 'sweep.yaml', overrides: [] } },
    space: { name: id, base: 'sample.yaml', maxParallel: 1 },
    cells: runs.map((run) => ({ values: [], runs: [run] })),
  }
}

/** As `zeroshift check --read-data` does, at a time when nothing is in use any more. */
export function checkAll(artifacts: Artifacts): Promise<CheckedStore> {
  const manifests = new SharedManifests(artifacts)
  return checkStore(artifacts, {
    ...{ readData: true, grace: 0, now: Date.now() + 1e12 },
    reportFlaw: (run, text) => reportFlaw(run, text, manifests),
  })
}

/** Titles of the stages that a run needs and the store does not have whole. */
export async function missingStages(artifacts: Artifacts, { plan }: RunRecord): Promise<readonly string[]> {
  const stages = stagesOf(plan)
  const complete = await mapConcurrently(stages, (stage) => artifacts.complete(stage))
  return stages.filter((_, i) => !complete[i]).map(({ title }) => title)
}
