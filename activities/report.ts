import type { Artifacts } from '../artifacts/artifacts.ts'
import { reportSignatures } from '../artifacts/format/layout.ts'
import { signReport } from '../artifacts/stored-signatures.ts'
import { manifestDigest, type Manifest } from '../experiment/records/manifest.ts'
import type { ResultRow } from '../experiment/records/results.ts'
import { recordOf, type RunInput, type RunRecord, type RunResult } from '../experiment/records/run.ts'
import { stagesOf } from '../experiment/stages/stage-list.ts'
import type { StageRef } from '../experiment/stages/stage.ts'
import { renderReport } from '../report/report.ts'
import { drawnMapStages } from '../report/sections/maps.ts'
import { outcomesOf } from './outcomes.ts'
import { signedReport, type SignedReport } from '../signatures/claims.ts'
import type { SigningKey } from '../signatures/keys.ts'
import { mapsOf } from './feature-maps.ts'

export interface WrittenReport {
  /** The folder of the report's files, as a URL of the store. */
  readonly url: string
  /** Digest of the report's computed part. */
  readonly digest: string
  readonly results: readonly ResultRow[]
  /**
   * The keys of the stages that the report lacks, because the store has no result of them that fits
   * the other results.
   */
  readonly absent?: readonly string[]
}

/**
 * Renders a run's report from the manifests, the labels and the logits in the store: the same ones
 * give the same bytes. The digest does not depend on labels and logits.
 */
export async function renderRun(artifacts: Artifacts, run: RunRecord, failed: RunResult['failed']) {
  const manifests = await manifestsOf(artifacts, run)
  const labels = await artifacts.labels(run.id)
  const input = { run, manifests, failed, ...(labels && { labels }) }
  const maps = await mapsOf(artifacts, input, drawnMapStages(input))
  const outcomes = await outcomesOf(artifacts, input)
  const { html, markdown, json, latex, csv, digest, results, ...report } = await renderReport({
    ...input,
    maps,
    outcomes,
  })
  const absent = stagesOf(run.plan).flatMap(({ key }) => (key in manifests ? [] : [key]))
  return {
    files: {
      'index.html': html,
      'report.md': markdown,
      'results.csv': csv,
      'results.tex': latex,
      ...(report.outcomes !== undefined && { 'outcomes.json': report.outcomes }),
      'report.json': json,
    },
    digest,
    results,
    absent,
  }
}

/**
 * Renders a run's report and writes it into the folder of the run, with a signature if a key is
 * given.
 */
export async function writeReport(
  artifacts: Artifacts,
  run: RunRecord,
  failed: RunResult['failed'],
  signer?: SigningKey,
): Promise<WrittenReport> {
  const { files, ...written } = await renderRun(artifacts, run, failed)
  await artifacts.deleteOtherSignatures(reportSignatures(run.id), written.digest)
  const url = await artifacts.putReport(run.id, files)
  if (signer) await signReport(artifacts, toSign(run.id, files['report.json']), 'rendered', signer)
  return { url, ...written }
}

/**
 * Writes the record of a run that has ended, with the stages that failed, so that its report can be
 * rendered again, and writes the report.
 */
export async function concludeRun(
  artifacts: Artifacts,
  { run, settings }: RunInput,
  failed: RunResult['failed'],
  signer?: SigningKey,
): Promise<WrittenReport> {
  await artifacts.putRun({ ...recordOf({ run, settings }), failed })
  return writeReport(artifacts, run, failed, signer)
}

/** Returns what has to be signed of a rendered `report.json`. */
export function toSign(run: string, json: string): SignedReport {
  const report = signedReport(run, JSON.parse(json))
  if (!report) throw new Error(`the report of ${run} lacks its stages or its digest`)
  return report
}

/** A source of manifests: a store, or a cache in front of it. */
export interface ManifestSource {
  manifest(stage: StageRef): Promise<Manifest | undefined>
}

/**
 * Returns the manifests of a run's finished stages, by key. A stage is left out if it was computed
 * from another result of an input than the store has now, so that all figures of a report are of
 * the same models.
 */
export async function manifestsOf(
  manifests: ManifestSource,
  run: RunRecord,
): Promise<Record<string, Manifest>> {
  const found = await Promise.all(stagesOf(run.plan).map((stage) => manifests.manifest(stage)))
  const current = new Map<string, { readonly manifest: Manifest; readonly digest: string }>()
  const stale = new Set<string>()
  // The inputs of a stage come before it.
  for (const manifest of found.flatMap((manifest) => manifest ?? [])) {
    const isStale = Object.entries<StageRef>(manifest.inputs).some(([name, { key }]) => {
      const input = current.get(key)
      return stale.has(key) || (input && input.digest !== manifest.inputDigests[name])
    })
    if (isStale) stale.add(manifest.key)
    else current.set(manifest.key, { manifest, digest: manifestDigest(manifest) })
  }
  return Object.fromEntries([...current].map(([key, { manifest }]) => [key, manifest]))
}
