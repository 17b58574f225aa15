import type { Artifacts } from '../artifacts/artifacts.ts'
import type { RunRecord } from '../experiment/run.ts'
import type { Settings } from '../experiment/spec.ts'
import { renderReport } from '../report/report.ts'
import { MlflowClient } from '../tracking/mlflow.ts'
import { trackRun } from '../tracking/track.ts'
import { manifestsOf } from './report.ts'

/** Sends a run's figures and curves to its MLflow server. */
export async function track(
  artifacts: Artifacts,
  run: RunRecord,
  tracking: NonNullable<Settings['tracking']>,
): Promise<void> {
  const manifests = await manifestsOf(artifacts, run)
  const { results, digest } = await renderReport({ run, manifests, failed: [] })
  const experiment = tracking.experiment ?? run.spec.name
  await trackRun(new MlflowClient(tracking.uri), { run, rows: results, manifests, digest, experiment })
}
