import { mapConcurrently } from '../../common/concurrency.ts'
import { parseJson } from '../../common/json.ts'
import { UserError } from '../../common/errors.ts'
import { modelsSchema } from '../../experiment/records/deletion.ts'
import type { BlobRef } from '../../experiment/records/manifest.ts'
import { checkLedgers } from '../check/check-ledgers.ts'
import { blobPath } from '../format/layout.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { ledgersIn, purgedDigests } from '../stored-ledgers.ts'
import type { VerifiedObject } from './contained.ts'
import { adviceOn, readBlob, readUnchanged } from './read-source.ts'

/** A ledger that is copied with its requests, records, notes and models. */
export interface PlannedLedger {
  readonly name: string
  /** The objects that the target lacks, in the order in which they are written. */
  readonly objects: readonly VerifiedObject[]
  /** The models that its records name, and that the source has. */
  readonly models: readonly BlobRef[]
}

/**
 * Plans the copy of all ledgers of a store. Throws a UserError if a ledger of the source is
 * damaged, or if the target has a ledger of the same name with another content: each of the two may
 * go on with other requests, and records cannot be merged.
 */
export async function planLedgers(from: ObjectStore, to: ObjectStore): Promise<readonly PlannedLedger[]> {
  const names = await ledgersIn(from)
  if (names.length === 0) return []
  const blobs = new Map((await from.list('blobs/sha256/')).map(({ path }) => [path, true]))
  const flaws = await checkLedgers(from, { blobs, purged: await purgedDigests(from) })
  if (flaws.length > 0)
    throw new UserError(
      flaws.map(({ path, what }) => ({
        message: `${from.locate(path)}: ${what}. Nothing was copied. ${adviceOn(from)}`,
      })),
    )
  return mapConcurrently(names, (name) => planLedger(from, to, name, blobs))
}

async function planLedger(
  from: ObjectStore,
  to: ObjectStore,
  name: string,
  blobs: ReadonlyMap<string, unknown>,
): Promise<PlannedLedger> {
  const listed = await from.list(`ledgers/${name}/`)
  const objects: VerifiedObject[] = []
  const models = new Map<string, BlobRef>()
  for (const { path } of [...listed].sort((a, b) => rankOf(a.path) - rankOf(b.path))) {
    const own = await from.getHashed(path)
    if (!own) continue
    const theirs = await to.getHashed(path)
    if (theirs && theirs.sha256 !== own.sha256)
      throw new UserError(
        `${from.locate(path)} and ${to.locate(path)} differ: the ledger ${name} went on in both stores, or is another one, and its records cannot be merged. ` +
          'Nothing was copied. Copy into another store, or name the runs to copy with --run',
      )
    if (!theirs) objects.push({ path, bytes: own.bytes.length, sha256: own.sha256 })
    const { data } = isRecord(path) ? modelsSchema.safeParse(parseJson(own.bytes)) : {}
    for (const blob of data ? [data.model.before, data.model.after] : [])
      if (blobs.has(blobPath(blob))) models.set(blob.sha256, blob)
  }
  return { name, objects, models: [...models.values()] }
}

const isRecord = (path: string) => /\/\d{6,}\.json$/.test(path)

/**
 * The ledger comes first. The notes of a request come before its record, as they are written, and
 * the record of a purge comes last.
 */
function rankOf(path: string): number {
  const [, digits, kind = ''] = /\/(\d{6,})\.(?:(\w+)\.)?json$/.exec(path) ?? []
  if (digits === undefined) return 0
  const place = ['request', 'notes', '', 'purge'].indexOf(kind)
  return Number(digits) + place / 4
}

/** Writes planned ledgers: models first, so that no record names a model that is not there. */
export async function writeLedgers(
  from: ObjectStore,
  to: ObjectStore,
  ledgers: readonly PlannedLedger[],
): Promise<void> {
  for (const { models, objects } of ledgers) {
    for (const blob of models)
      if ((await to.size(blobPath(blob))) === undefined)
        await to.putIfAbsent(blobPath(blob), await readBlob(from, blob))
    for (const object of objects) await to.putIfAbsent(object.path, (await readUnchanged(from, object)).bytes)
  }
}
