import type { Artifacts } from '../artifacts/artifacts.ts'
import { BlobError } from '../artifacts/blobs/blob-errors.ts'
import type { FeatureMaps } from '../experiment/records/feature-maps.ts'
import type { StageOf } from '../experiment/stages/stage.ts'
import { manifestOf, type ReportInput } from '../report/input.ts'
import { readMaps } from './stages/maps-blob.ts'

/**
 * Reads the maps of finished stages, by the key of the stage. Maps whose blob cannot be read are
 * left out.
 */
export async function mapsOf(
  artifacts: Artifacts,
  input: Pick<ReportInput, 'manifests'>,
  stages: readonly StageOf<'maps'>[],
): Promise<Readonly<Record<string, FeatureMaps>>> {
  const found: Record<string, FeatureMaps> = {}
  for (const stage of stages) {
    const manifest = manifestOf<'maps'>(input, stage)
    if (!manifest) continue
    try {
      found[stage.key] = await readMaps(artifacts, manifest)
    } catch (error) {
      if (!(error instanceof BlobError)) throw error
    }
  }
  return found
}
