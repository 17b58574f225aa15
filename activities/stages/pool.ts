import type { ManifestOf } from '../../experiment/records/manifest.ts'
import type { StageBody } from '../runtime/stage.ts'
import { encodePool, readShadow } from '../runtime/blob-codecs.ts'

/**
 * Joins the margins of all shadow models in one blob, so that an attack does not read hundreds of
 * them.
 */
export const pool: StageBody<'pool'> = async ({ artifacts, inputs, host, timed }) => {
  const models = Object.keys(inputs).length
  const { result, seconds } = await timed(async () => {
    const manifests = Array.from(
      { length: models },
      (_, i) => inputs[`shadow${i + 1}`] as ManifestOf<'shadow'>,
    )
    const samples = manifests[0]?.metrics.samples ?? 0
    const values = new Float32Array(models * samples)
    const members = new Uint8Array(models * samples)
    for (const [m, manifest] of manifests.entries()) {
      const shadow = await readShadow(artifacts, manifest)
      values.set(shadow.phi, m * samples)
      members.set(shadow.members, m * samples)
      await host.step({})
    }
    return { values, members, models, samples }
  })
  return {
    outputs: { margins: encodePool(result) },
    metrics: { models, samples: result.samples },
    seconds,
  }
}
