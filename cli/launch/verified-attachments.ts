import { allowsPrograms } from '../../activities/runtime/allowed-programs.ts'
import { keptBundle } from '../../api/bundle-cache.ts'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import { sha256 } from '../../common/canonical.ts'
import { UserError } from '../../common/errors.ts'
import { attachmentsOf } from '../../experiment/plan/attachments.ts'
import type { BlobRef } from '../../experiment/records/manifest.ts'
import type { Plan } from '../../experiment/plan/types.ts'

/**
 * Writes the plug-ins of a run that is verified to the store of the verification. They may be
 * anybody's code: unless a command has bundled the same plug-in on this machine, the user has to
 * allow it. Throws a UserError if one is not allowed, or is not where the report is.
 */
export async function putVerifiedAttachments(
  artifacts: Artifacts,
  plan: Plan,
  where: string,
  attachment: (blob: BlobRef) => Promise<Uint8Array | undefined>,
): Promise<void> {
  for (const blob of attachmentsOf(plan)) {
    const own = await keptBundle('bundled', blob.sha256)
    const bytes = own?.bytes ?? (await attachment(blob))
    const refuse = (message: string): never => {
      throw new UserError([{ file: where, message }])
    }
    const which = `the plug-in with the SHA-256 ${blob.sha256}`
    if (!bytes || sha256(bytes) !== blob.sha256)
      return refuse(
        `the run needs ${which}, which is neither beside the report nor on this machine; take a copy that \`./zeroshift report --out\` ` +
          'wrote, or name its source in a config',
      )
    if (!own && !allowsPrograms(false))
      return refuse(
        `the run executes ${which}, which comes with the report and which no config of yours has named on this machine. ` +
          'If you trust it, set ZEROSHIFT_ALLOW_EXTERNAL=1',
      )
    await artifacts.putBlob(bytes)
  }
}
