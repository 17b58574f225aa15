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

/** Enough for the stages that the runs of a sweep share; a run's own are read once anyway. */
const MOST_KEPT = 1000

/** Manifests for several runs, which share stages: the newest ones asked for are kept. For one call. */
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
 * What a run that has a report came to; undefined where it has none. The figures are those of the manifests in the store.
 * Where some are gone, they are those of the stored report, which is as it was written by its own digest.
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

/** The report's JSON as the manifests give it. */
export function renderedJson(run: RunRecord, manifests: Readonly<Record<string, Manifest>>): string {
  return renderReportJson({ run, manifests, failed: run.failed ?? [] })
}

/** Why a report is not of the stages that the store has. */
export function otherStage(
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

/** What a report says of its run and of the blobs that the store says otherwise. */
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

/** What is wrong with a run's stored report; undefined: it says what the stages in the store say. */
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
    // Of stages that are gone, or came since, the report knows other things than the store.
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
