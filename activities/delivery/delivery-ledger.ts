import { randomUUID } from 'node:crypto'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import { jsonBytes } from '../../common/json.ts'
import { sha256 } from '../../common/canonical.ts'
import type { BlobRef } from '../../experiment/records/manifest.ts'
import type { TrackedFile } from '../../tracking/contents.ts'
import type { Ledger, Note } from '../../tracking/deliver.ts'

/** What the store keeps of deliveries to MLflow, of a run or of a sweep alike. */

/** Where: the folder of the run or of the sweep. */
export type Folder = `runs/${string}` | `sweeps/${string}`

export const placeOf = (folder: Folder, name: string) => `${folder}/tracking/${name}.json`

/** What tells this store's run from the same run in another store: made at the first delivery, and kept. */
export interface Identity {
  readonly nonce: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
}

export async function identity(artifacts: Artifacts, folder: Folder): Promise<Identity> {
  const known = await knownIdentity(artifacts, folder)
  if (known) return known
  const path = placeOf(folder, 'key')
  await artifacts.store.putIfAbsent(path, jsonBytes({ nonce: randomUUID(), startedAt: Date.now() }))
  return identity(artifacts, folder)
}

/** undefined: it was never delivered. */
export function knownIdentity(artifacts: Artifacts, folder: Folder): Promise<Identity | undefined> {
  return getJson<Identity>(artifacts, placeOf(folder, 'key'))
}

/** Of several ids under one name, the first stands. */
export function claims(artifacts: Artifacts, folder: Folder): Pick<Ledger, 'claimed' | 'claim'> {
  const place = (name: string) => placeOf(folder, `claims/${sha256(name)}`)
  return {
    claimed: async (name) => (await getJson<{ run: string }>(artifacts, place(name)))?.run,
    claim: async (name, id) => {
      await artifacts.store.putIfAbsent(place(name), jsonBytes({ run: id }))
    },
  }
}

export async function ledger(
  artifacts: Artifacts,
  folder: Folder,
  files: readonly KeptFile[],
): Promise<Ledger> {
  const note = placeOf(folder, 'delivered')
  return {
    // A damaged one is as good as none.
    note: await getJson<Note>(artifacts, note).catch(() => undefined),
    keep: (latest) => putJson(artifacts, note, latest),
    ...claims(artifacts, folder),
    read: async (blob: BlobRef) =>
      files.find(({ file }) => file.blob.sha256 === blob.sha256)?.bytes ?? (await artifacts.getBlob(blob)),
  }
}

export interface KeptFile {
  readonly file: TrackedFile
  readonly bytes: Uint8Array
}

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
