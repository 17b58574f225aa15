import { jsonBytes } from '../../common/json.ts'
import { blobPath, ownPath } from '../format/layout.ts'
import { formatBytes, formatPath } from '../format/store-format.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { ArchivedObject } from './archive.ts'
import { readBlob, readUnchanged } from './read-source.ts'
import type { StoreContents, VerifiedObject } from './contained.ts'
import { planTransfer, undigestedOf } from './transfer-plan.ts'

/**
 * The objects of an archive with the contents of a store. The pages of reports are left out,
 * because an import renders them again.
 */
export function objectsIn(from: ObjectStore, contents: StoreContents): readonly ArchivedObject[] {
  const { blobs, stages, runs, sweeps } = planTransfer(contents, emptyContents, 'target')
  const format = formatBytes(undigestedOf(stages))
  const verified = (object: VerifiedObject): ArchivedObject => ({
    ...object,
    read: async () => (await readUnchanged(from, object)).bytes,
  })
  return [
    { path: formatPath, bytes: format.length, read: () => Promise.resolve(format) },
    ...blobs.map((blob) => ({
      ...{ path: blobPath(blob), bytes: blob.bytes },
      read: () => readBlob(from, blob),
    })),
    ...stages
      .flatMap((group) => group.flatMap(({ manifest, signatures }) => [manifest, ...signatures]))
      .map(verified),
    ...runs
      .flatMap(({ record, labels, report }) => [
        record,
        ...(labels ? [labels] : []),
        ...(report ? [report.json, ...report.signatures] : []),
      ])
      .map(verified),
    ...runs.flatMap(({ id, isOwn }) => (isOwn ? [ownMark(id)] : [])),
    ...sweeps.map(({ record }) => verified(record)),
  ]
}

/** The object that marks a run as started by itself. */
function ownMark(id: string): ArchivedObject {
  const bytes = jsonBytes({ own: true })
  return { path: ownPath(id), bytes: bytes.length, read: () => Promise.resolve(bytes) }
}

const emptyContents: StoreContents = {
  ...{ stages: new Map(), runs: new Map(), sweeps: new Map(), blobs: new Map(), signedOnly: new Set() },
  flaws: [],
}
