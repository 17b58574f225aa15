import type { StageKind } from '../../experiment/stages/stage.ts'
import { pooled } from '../../common/concurrency.ts'
import { readManifest } from '../format/read-manifest.ts'
import { newestDate, probes } from '../store/store-clock.ts'
import { mayLackDigest, readFormat, type StoreFormat } from '../format/store-format.ts'
import type { ObjectStore, StoredObject } from '../store/object-store.ts'
import { readRuns, readSweeps, type StoredRuns, type StoredSweeps } from './stored-runs.ts'

/** Everything that a store holds, as far as it is asked what is needed. */
export interface Inventory {
  /** Milliseconds since 1970, by the store's clock. */
  readonly now: number
  /** Blobs, stages, probes and removals. */
  readonly objects: readonly StoredObject[]
  readonly runs: StoredRuns
  readonly sweeps: StoredSweeps
  /**
   * The SHA-256s that each stage's manifest names, by the stage's folder; undefined where it cannot
   * be read.
   */
  readonly manifests: ReadonlyMap<string, ReadonlySet<string> | undefined>
}

/** Removals that have not come to their end (removal.ts). */
export const removals = 'removals/'

/**
 * Reads a store without writing to it. Runs are read last, so that every run is known that had
 * begun when this is done. `now` is the store's time from before (storeClock); without it, the date
 * of the newest object stands for the time.
 */
export async function takeInventory(store: ObjectStore, now?: number): Promise<Inventory> {
  const format = await readFormat(store)
  const blobs = await store.list('blobs/sha256/')
  const stages = await store.list('stages/')
  const others = [...(await store.list(probes)), ...(await store.list(removals))]
  const manifests = await pooled(
    stages.filter(({ path }) => stageManifest.test(path)),
    async ({ path }) => [folderOf(path), await digestsIn(store, format, path)] as const,
  )
  const sweeps = await readSweeps(store)
  const runs = await readRuns(store)
  const objects = [...blobs, ...others, ...stages]
  const records = [...runs.values(), ...sweeps.values()].flatMap(({ objects }) => objects)
  return {
    now: now ?? newestDate([...objects, ...records]),
    ...{ objects, runs, sweeps },
    manifests: new Map(manifests.flatMap(([path, digests]) => (digests === 'gone' ? [] : [[path, digests]]))),
  }
}

const stagePath = /^stages\/[a-z]+\/[0-9a-f]{64}\//
export const stageManifest = /^stages\/[a-z]+\/[0-9a-f]{64}\/manifest\.json$/

/** `stages/<kind>/<key>/` of what is in there; empty text of what is not. */
export function folderOf(path: string): string {
  return stagePath.exec(path)?.[0] ?? ''
}

/** The SHA-256 that a blob is named by. */
export function digestOf({ path }: StoredObject): string | undefined {
  return /^blobs\/sha256\/[0-9a-f]{2}\/([0-9a-f]{64})$/.exec(path)?.[1]
}

export function groupedBy(
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

/** undefined: it cannot be read. `gone`: it was deleted in the meantime. */
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
