import { manifestDigest, type Manifest } from '../../experiment/records/manifest.ts'
import type { StageRef } from '../../experiment/stages/stage.ts'

/**
 * Returns made-up manifests as stages leave them: inputs come first, and each has the digests of
 * its inputs.
 */
export function linked(manifests: readonly Manifest[]): readonly Manifest[] {
  const digests = new Map<string, string>()
  return manifests.map((manifest) => {
    const inputDigests = Object.fromEntries(
      Object.entries<StageRef>(manifest.inputs).map(([name, { key }]) => [
        name,
        digests.get(key) ?? '0'.repeat(64),
      ]),
    )
    const one: Manifest = { ...manifest, inputDigests }
    digests.set(one.key, manifestDigest(one))
    return one
  })
}
