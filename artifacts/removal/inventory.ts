import type { StageKind } from '../../experiment/stages/stage.ts'
import { mapConcurrently } from '../../common/concurrency.ts'
import { readManifest } from '../format/read-manifest.ts'
import { newestDate, probesFolder } from '../store/store-clock.ts'
import { mayLackDigest, readFormat, type StoreFormat } from '../format/store-format.ts'
import type { ObjectStore, StoredObject } from '../store/object-store.ts'
import { readLedgers, type StoredLedgers } from './stored-ledgers.ts'
import { readRuns, readSweeps, type StoredRuns, type StoredSweeps } from './stored-runs.ts'

/** The contents of a store, as far as they decide what is still needed. */
export interface Inventory {
  /** Milliseconds since 1970, by the store's clock. */
  readonly now: number
  /** The objects of blobs, stages, probes and unfinished removals. */
  readonly objects: readonly StoredObject[]
  readonly runs: StoredRuns
  readonly sweeps: StoredSweeps
  /** Absent if there are none. */
  readonly ledgers?: StoredLedgers
  /**
   * The SHA-256s of the blobs of each finished stage, by the folder of the stage. The value is
   * undefined if the manifest is not valid.
   */
  readonly manifests: ReadonlyMap<string, ReadonlySet<string> | undefined>
}

/** The folder of the notes of unfinished removals (removal-notes.ts). */
export const removalsFolder = 'removals/'

/**
 * Reads a store without writing to it. Runs are read last, so that no run is missing that has begun
 * in the meantime.
 *
 * @param now the time by the store's clock before this call (`storeClock`). Without it, the date of
 *   the newest object is used.
 */
export async function takeInventory(store: ObjectStore, now?: number): Promise<Inventory> {
  const format = await readFormat(store)
  const blobs = await store.list('blobs/sha256/')
  const stages = await store.list('stages/')
  const others = [...(await store.list(probesFolder)), ...(await store.list(removalsFolder))]
  const manifests = await mapConcurrently(
    stages.filter(({ path }) => stageManifest.test(path)),
    async ({ path }) => [stageFolderOf(path), await digestsIn(store, format, path)] as const,
  )
  const sweeps = await readSweeps(store)
  const ledgers = await readLedgers(store)
  const runs = await readRuns(store)
  const objects = [...blobs, ...others, ...stages]
  const records = [...runs, ...sweeps, ...ledgers].flatMap(([, { objects }]) => objects)
  return {
    now: now ?? newestDate([...objects, ...records]),
    ...{ objects, runs, sweeps, ledgers },
    manifests: new Map(manifests.flatMap(([path, digests]) => (digests === 'gone' ? [] : [[path, digests]]))),
  }
}

const stagePath = /^stages\/[a-z]+\/[0-9a-f]{64}\//
export const stageManifest = /^stages\/[a-z]+\/[0-9a-f]{64}\/manifest\.json$/

/** The folder `stages/<kind>/<key>/` of a path, or empty text if the path is in no such folder. */
export function stageFolderOf(path: string): string {
  return stagePath.exec(path)?.[0] ?? ''
}

/** The SHA-256 in the name of a blob. Returns undefined for another object. */
export function blobDigest({ path }: StoredObject): string | undefined {
  return /^blobs\/sha256\/[0-9a-f]{2}\/([0-9a-f]{64})$/.exec(path)?.[1]
}

/** Objects in groups, by a key of their paths. */
export function groupByPath(
  keyOf: (path: string) => string,
  objects: readonly StoredObject[],
): Map<string, StoredObject[]> {
  const groups = new Map<string, StoredObject[]>()
  for (const object of objects) {
    const key = keyOf(object.path)
    const group = groups.get(key)
    if (group) group.push(object)
    else groups.set(key, [object])
  }
  return groups
}

/**
 * The SHA-256s that a manifest names. Returns undefined if the manifest is not valid, and `gone` if
 * it was deleted in the meantime.
 */
async function digestsIn(
  store: ObjectStore,
  format: StoreFormat | undefined,
  path: string,
): Promise<ReadonlySet<string> | undefined | 'gone'> {
  const bytes = await store.get(path)
  if (!bytes) return 'gone'
  const [, kind = '', key = ''] = path.split('/')
  const read = readManifest(bytes, { kind: kind as StageKind, key })
  if ('flaw' in read || (!read.hasDigest && !mayLackDigest(format, key))) return undefined
  return new Set(Object.values(read.manifest.outputs).map(({ sha256 }) => sha256))
}
