import { z } from 'zod'

/** The record of a purge: the data and the results that were deleted after deletion requests. */

const hash = z.string().regex(/^[0-9a-f]{64}$/)
const object = {
  sha256: hash,
  bytes: z.int().min(0),
  /**
   * The kind of the stage that made the blob. `model`: a model that only a record names.
   * `unfinished`: the state of a stage that did not finish, and `outcomes`: outcomes.json of the
   * report of a step. These are no blobs.
   */
  kind: z.string(),
}
const purgedObject = z.strictObject(object)
export type PurgedObject = z.output<typeof purgedObject>

/** What `purge` does not reach. The list is the same in every record. */
export const notPurged: readonly string[] = [
  'the source files of the data set, and their copies in the download caches of machines',
  'copies and backups of the store, and earlier versions of objects in a bucket that keeps versions',
  'exported archives, models, adapters and certificates',
  'what was delivered to MLflow or to another tracking server',
  'the caches of blobs on other machines, and the memory and temporary files of running workers',
  'objects of the store that no run needs, until `gc --delete` deletes them',
  'manifests, reports and records, among them the requests and the notes, which name samples',
]

/** It has no times: the purge of equal stores gives equal bytes. */
export const purgeSchema = z.strictObject({
  format: z.literal(1),
  /** The name of the ledger and the digest of its config with defaults. */
  ledger: z.strictObject({ name: z.string(), digest: hash }),
  /** The last fulfilled request. */
  number: z.int().min(1),
  /** The digest of the record of that request. */
  record: hash,
  /** The numbers of all fulfilled requests. */
  requests: z.array(z.int().min(1)),
  /** The objects that the store no longer has, sorted by their SHA-256. */
  deleted: z.array(purgedObject),
  /** The blobs that stay, sorted in the same way. */
  kept: z.array(
    z.strictObject({
      ...object,
      /** Whether this is the model in use. */
      inUse: z.boolean(),
      /** The other runs and ledgers that need it, such as `run digits-01234567`. */
      neededBy: z.array(z.string()),
    }),
  ),
  notDeleted: z.array(z.string()),
})
export type Purge = z.output<typeof purgeSchema>
