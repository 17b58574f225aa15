import type { Artifacts } from '../../artifacts/artifacts.ts'
import { canonicalJson } from '../../common/canonical.ts'
import type { FeatureMaps } from '../../experiment/records/feature-maps.ts'
import type { ManifestOf } from '../../experiment/records/manifest.ts'
import { output } from '../runtime/blob-codecs.ts'

/** The format of the blob of a `maps` stage: canonical JSON. */
export function encodeMaps(maps: FeatureMaps): Uint8Array {
  return new TextEncoder().encode(canonicalJson(maps))
}

export async function readMaps(artifacts: Artifacts, manifest: ManifestOf<'maps'>): Promise<FeatureMaps> {
  const bytes = await artifacts.getBlob(output(manifest, 'maps'))
  // The digest of the blob has been checked, and only maps.ts writes such blobs.
  return JSON.parse(new TextDecoder().decode(bytes)) as FeatureMaps
}
