import type { Artifacts } from '../artifacts/artifacts.ts'
import type { ComparedOutcome } from '../experiment/sweep/comparison.ts'
import { differences } from '../common/differences.ts'
import { UserError } from '../common/errors.ts'
import { manifestDigest, type Manifest } from '../experiment/records/manifest.ts'
import type { RunRecord } from '../experiment/records/run.ts'
import type { StageRef } from '../experiment/stages/stage.ts'
import { outcomeOf } from '../report/comparison/outcome.ts'
import { differentFigures } from '../report/figures.ts'
import { readPublished, type Published } from '../report/published.ts'
import { renderReportJson } from '../report/report.ts'
import { manifestsOf } from './report.ts'

/**
 * The number of manifests in the cache. This is enough for the stages that the runs of a sweep
 * share.
 */
const MOST_KEPT = 1000

/**
 * A cache of manifests for several runs that share stages. An instance is used for one call only.
 */
export class SharedManifests {
  private readonly artifacts: Artifacts
  private readonly known = new Map<string, Promise<Manifest | undefined>>()

  constructor(artifacts: Artifacts) {
    this.artifacts = artifacts
  }

  manifest(stage: StageRef): Promise<Manifest | undefined> {
    const found = this.known.get(stage.key) ?? this.artifacts.manifest(stage)
    this.known.delete(stage.key)
    this.known.set(stage.key, found)
    const [oldest] = this.known.keys()
    if (this.known.size > MOST_KEPT && oldest !== undefined) this.known.delete(oldest)
    return found
  }
}

/**
 * Returns the figures of a run, or undefined if it has no report. The figures are computed from the
 * manifests in the store. If some of these are missing, the figures are taken from the stored
 * report, whose digest proves that it was not changed.
 */
export async function storedOutcome(
  artifacts: Artifacts,
  run: RunRecord,
  manifests: SharedManifests,
): Promise<ComparedOutcome | { readonly missing: string } | undefined> {
  const text = await artifacts.reportJson(run.id)
  if (text === undefined) return undefined
  try {
    const published = readPublished(text, 'report.json')
    const found = await manifestsOf(manifests, run)
    const flaw = otherStage(published, run, found)
    if (flaw !== undefined) return { missing: flaw }
    const isWhole = published.computed.stages.every(({ key, digest }) => digest === undefined || key in found)
    return outcomeOf(isWhole ? renderedJson(run, found) : text)
  } catch (error) {
    if (error instanceof UserError) return { missing: error.message }
    throw error
  }
}

/** Renders the JSON of a run's report from manifests. */
export function renderedJson(run: RunRecord, manifests: Readonly<Record<string, Manifest>>): string {
  return renderReportJson({ run, manifests, failed: run.failed ?? [] })
}

/**
 * Returns the reason why a report does not belong to the stages in the store, or undefined if it
 * does.
 */
function otherStage(
  { computed }: Published,
  run: RunRecord,
  manifests: Readonly<Record<string, Manifest>>,
): string | undefined {
  if (computed.stages[0]?.key !== run.plan.dataset.key) return 'its report.json is that of another run'
  const other = computed.stages.find(({ key, digest }) => {
    const manifest = manifests[key]
    return digest !== undefined && manifest !== undefined && manifestDigest(manifest) !== digest
  })
  return other && `its report.json gives another result of the stage "${other.title}" than the store has`
}

/**
 * Returns a difference between a report and the store in what they say about the run and its blobs.
 */
function otherStatement(
  { computed, blobs = {} }: Published,
  run: RunRecord,
  manifests: Readonly<Record<string, Manifest>>,
): string | undefined {
  const [first] = [...differences(computed.spec, run.spec), ...differences(computed.data, run.facts)]
  if (first) return `its ${first.path} is ${first.before}, and run.json has ${first.after}`
  const [blob] = Object.entries(blobs).flatMap(([key, outputs]) => {
    const manifest = manifests[key]
    return manifest ? differences(outputs, manifest.outputs, ['blobs', key]) : []
  })
  return blob && `its ${blob.path} is ${blob.before}, and the manifest has ${blob.after}`
}

/**
 * Returns the first difference between a run's stored report and the stages in the store, or
 * undefined if they agree.
 */
export async function reportFlaw(
  run: RunRecord,
  text: string,
  manifests: SharedManifests,
): Promise<string | undefined> {
  try {
    const published = readPublished(text, 'report.json')
    const found = await manifestsOf(manifests, run)
    const flaw = otherStage(published, run, found) ?? otherStatement(published, run, found)
    const { stages } = published.computed
    // If stages were removed or added since, the figures of the report cannot be compared.
    const isWhole = stages.every(({ key, digest }) => (digest !== undefined) === key in found)
    if (flaw !== undefined || !isWhole) return flaw
    const { computed } = JSON.parse(renderedJson(run, found)) as { readonly computed: object }
    const [first] = differentFigures(published.computed, computed)
    return (
      first &&
      `its ${first.path} is ${first.before}, and its stages give ${first.after}: it was changed, or another version of Zeroshift wrote it`
    )
  } catch (error) {
    if (error instanceof UserError) return error.message
    throw error
  }
}
