import { randomUUID } from 'node:crypto'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import { jsonBytes } from '../../common/json.ts'
import { sha256 } from '../../common/canonical.ts'
import type { BlobRef } from '../../experiment/records/manifest.ts'
import type { TrackedFile } from '../../tracking/contents.ts'
import type { Ledger, Note } from '../../tracking/deliver.ts'

/** The records in the store about deliveries of a run or a sweep to MLflow. */

/** The folder of a run or a sweep in the store. */
export type Folder = `runs/${string}` | `sweeps/${string}`

export const placeOf = (folder: Folder, name: string) => `${folder}/tracking/${name}.json`

/**
 * Distinguishes the run in this store from the same run in another store. It is created at the
 * first delivery.
 */
export interface Identity {
  readonly nonce: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
}

/** Returns the identity of a run or a sweep, and creates it if there is none. */
export async function identity(artifacts: Artifacts, folder: Folder): Promise<Identity> {
  const known = await knownIdentity(artifacts, folder)
  if (known) return known
  const path = placeOf(folder, 'key')
  await artifacts.store.putIfAbsent(path, jsonBytes({ nonce: randomUUID(), startedAt: Date.now() }))
  return identity(artifacts, folder)
}

/** Returns undefined if the run or the sweep was never delivered. */
export function knownIdentity(artifacts: Artifacts, folder: Folder): Promise<Identity | undefined> {
  return getJson<Identity>(artifacts, placeOf(folder, 'key'))
}

/**
 * Remembers which MLflow run has a name. If several ids are claimed for one name, the first one
 * counts.
 */
export function claims(artifacts: Artifacts, folder: Folder): Pick<Ledger, 'claimed' | 'claim'> {
  const place = (name: string) => placeOf(folder, `claims/${sha256(name)}`)
  return {
    claimed: async (name) => (await getJson<{ run: string }>(artifacts, place(name)))?.run,
    claim: async (name, id) => {
      await artifacts.store.putIfAbsent(place(name), jsonBytes({ run: id }))
    },
  }
}

/** The records that `deliver` reads and writes. */
export async function ledger(
  artifacts: Artifacts,
  folder: Folder,
  files: readonly KeptFile[],
): Promise<Ledger> {
  const note = placeOf(folder, 'delivered')
  return {
    // A damaged record is treated as a missing one.
    note: await getJson<Note>(artifacts, note).catch(() => undefined),
    keep: (latest) => putJson(artifacts, note, latest),
    ...claims(artifacts, folder),
    read: async (blob: BlobRef) =>
      files.find(({ file }) => file.blob.sha256 === blob.sha256)?.bytes ?? (await artifacts.getBlob(blob)),
  }
}

/** A file with its content, for MLflow's artifacts. */
export interface KeptFile {
  readonly file: TrackedFile
  readonly bytes: Uint8Array
}

/** Reads the files of the report of a run or a sweep. */
export async function reportFiles({ store }: Artifacts, folder: Folder): Promise<readonly KeptFile[]> {
  const report = `${folder}/report/`
  const found = (await store.list(report)).map(async ({ path }) => {
    const bytes = await store.get(path)
    const file = (content: Uint8Array) => ({
      path: `report/${path.slice(report.length)}`,
      blob: { sha256: sha256(content), bytes: content.length },
    })
    return bytes ? [{ file: file(bytes), bytes }] : []
  })
  return (await Promise.all(found)).flat()
}

export async function putJson({ store }: Artifacts, path: string, value: unknown): Promise<void> {
  await store.put(path, jsonBytes(value))
}

export async function getJson<T>({ store }: Artifacts, path: string): Promise<T | undefined> {
  const bytes = await store.get(path)
  return bytes && (JSON.parse(new TextDecoder().decode(bytes)) as T)
}
