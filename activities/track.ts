import type { Artifacts } from '../artifacts/artifacts.ts'
import type { RunRecord } from '../experiment/run.ts'
import type { Settings } from '../experiment/spec.ts'
import { results } from '../report/results.ts'
import { MlflowClient } from '../tracking/mlflow.ts'
import { trackRun } from '../tracking/track.ts'
import { manifestsOf } from './report.ts'

/** Sends the figures and curves of a run whose report is written to its MLflow server. */
export async function track(
  artifacts: Artifacts,
  run: RunRecord,
  tracking: NonNullable<Settings['tracking']>,
): Promise<void> {
  const manifests = await manifestsOf(artifacts, run)
  // The stored run knows what failed; the one that was asked for does not.
  const { failed = [] } = (await artifacts.run(run.id)) ?? run
  await trackRun(new MlflowClient(tracking.uri), {
    run,
    rows: results({ run, manifests, failed }),
    manifests,
    digest: await reportDigest(artifacts, run),
    experiment: tracking.experiment ?? run.spec.name,
  })
}

async function reportDigest({ store }: Artifacts, { id }: RunRecord): Promise<string> {
  const path = `runs/${id}/report/report.json`
  const bytes = await store.get(path)
  if (!bytes) throw new Error(`${store.locate(path)} is missing: a run is tracked once its report is written`)
  return (JSON.parse(new TextDecoder().decode(bytes)) as { digest: string }).digest
}
