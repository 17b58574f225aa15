import { keptBundle } from '../../api/bundle-cache.ts'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import { UserError } from '../../common/errors.ts'
import type { BlobRef } from '../../experiment/records/manifest.ts'

/**
 * Writes the attachments of runs to their store, unless it has them. The records of the runs are
 * written before, so that no garbage collection removes an attachment. Throws a UserError if one is
 * neither in the store nor on this machine.
 */
export async function uploadAttachments(artifacts: Artifacts, blobs: readonly BlobRef[]): Promise<void> {
  for (const blob of blobs) {
    if (await artifacts.holds([blob])) continue
    const kept = await keptBundle('bundled', blob.sha256)
    if (!kept)
      throw new UserError(
        `the plug-in with the SHA-256 ${blob.sha256} is neither in the store ${artifacts.store.url} nor on this machine; ` +
          'run the same command again where its source is',
      )
    await artifacts.putBlob(kept.bytes)
  }
}
