import { UserError } from '../../common/errors.ts'
import type { BlobRef } from '../../experiment/records/manifest.ts'
import { blobPath } from '../format/layout.ts'
import type { HashedBytes, ObjectStore } from '../store/object-store.ts'
import { ArchiveStore } from './archive.ts'
import type { VerifiedObject } from './contained.ts'

/** Reads and verifies a blob of the source. Throws a UserError if it is damaged or missing. */
export async function readBlob(from: ObjectStore, blob: BlobRef): Promise<Uint8Array> {
  const path = blobPath(blob)
  let found = await from.getHashed(path)
  // The transfer may have failed: the blob is read a second time.
  if (found && found.sha256 !== blob.sha256) found = await from.getHashed(path)
  if (found?.sha256 === blob.sha256 && found.bytes.length === blob.bytes) return found.bytes
  throw new UserError(
    `${from.locate(path)}: ` +
      (found
        ? `the blob has ${found.bytes.length} bytes with the SHA-256 ${found.sha256}, expected ${blob.bytes} bytes with the one in its name`
        : 'the blob is missing') +
      `. No stage that has it was copied. ${adviceOn(from)}`,
  )
}

/** Reads an object that was verified before. Throws if it has changed since. */
export async function readUnchanged(
  from: ObjectStore,
  { path, sha256 }: VerifiedObject,
): Promise<HashedBytes> {
  const found = await from.getHashed(path)
  if (found?.sha256 === sha256) return found
  throw new Error(`${from.locate(path)} was changed while the store was copied; repeat the command`)
}

/** The advice for a damaged source, as sentences. */
export function adviceOn(store: ObjectStore): string {
  return store instanceof ArchiveStore
    ? 'Take an unchanged copy of the archive, or export the runs again'
    : `\`./zeroshift check --read-data --store ${store.url}\` finds all damage; with --repair, it deletes what can be computed again`
}
