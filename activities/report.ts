import type { Artifacts } from '../artifacts/artifacts.ts'
import type { Manifest } from '../experiment/manifest.ts'
import type { ResultRow } from '../experiment/results.ts'
import type { RunRecord, RunResult } from '../experiment/run.ts'
import { stagesOf } from '../experiment/stage-list.ts'
import { renderReport } from '../report/report.ts'

export interface WrittenReport {
  /** The folder of the report's files, as a URL of the store. */
  readonly url: string
  /** Digest of the report's computed part. */
  readonly digest: string
  readonly results: readonly ResultRow[]
}

/** Renders a run's report from the manifests in the store: the same manifests give the same bytes. */
export async function renderRun(artifacts: Artifacts, run: RunRecord, failed: RunResult['failed']) {
  const manifests = await manifestsOf(artifacts, run)
  const { html, markdown, json, digest, results } = await renderReport({ run, manifests, failed })
  return { files: { 'index.html': html, 'report.md': markdown, 'report.json': json }, digest, results }
}

/** Renders a run's report and writes it beside the run. */
export async function writeReport(
  artifacts: Artifacts,
  run: RunRecord,
  failed: RunResult['failed'],
): Promise<WrittenReport> {
  const { files, digest, results } = await renderRun(artifacts, run, failed)
  return { url: await artifacts.putReport(run.id, files), digest, results }
}

/** The manifests of a run's finished stages, by key. */
export async function manifestsOf(artifacts: Artifacts, run: RunRecord): Promise<Record<string, Manifest>> {
  const found = await Promise.all(stagesOf(run.plan).map((stage) => artifacts.manifest(stage)))
  return Object.fromEntries(found.flatMap((manifest) => (manifest ? [[manifest.key, manifest]] : [])))
}
