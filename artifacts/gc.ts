import { randomUUID } from 'node:crypto'
import { UserError } from '../experiment/errors.ts'
import type { RunRecord } from '../experiment/run.ts'
import { stagesOf } from '../experiment/stage-list.ts'
import type { StageKind } from '../experiment/stages.ts'
import { stageFolder } from './artifacts.ts'
import { chunks, pooled } from './pooled.ts'
import { readManifest } from './read-manifest.ts'
import { recordFlaw } from './read-record.ts'
import { mayLackDigest, readFormat, type StoreFormat } from './store-format.ts'
import type { ObjectStore, StoredObject } from './store.ts'

/**
 * What no run refers to any more. A run needs the stages of its plan and the blobs that their manifests name. A run
 * writes `run.json` before it looks anything up, and a stage its blobs before its manifest, so what is younger than a
 * grace period is never garbage: it may belong to a stage that is about to name it.
 */
export interface Garbage {
  /** Stages that no run names. */
  readonly stages: readonly StageFolder[]
  /** Blobs that no manifest names, those of `stages` aside. */
  readonly blobs: readonly StoredObject[]
  /** Of stages that have a manifest, and so are never taken up again. */
  readonly checkpoints: readonly StoredObject[]
  readonly leases: readonly StoredObject[]
  /** What `zeroshift doctor` wrote to see whether it can. */
  readonly probes: readonly StoredObject[]
}

export interface StageFolder {
  /** `stages/<kind>/<key>/` */
  readonly path: string
  readonly objects: readonly StoredObject[]
}

/** Everything that a store holds, as far as garbage goes. */
export interface Inventory {
  /** Milliseconds since 1970, by the store's clock. */
  readonly now: number
  readonly objects: readonly StoredObject[]
  /** The folders of the stages that each run names, by the run's id. */
  readonly runs: ReadonlyMap<string, ReadonlySet<string>>
  /** The SHA-256s that each stage's manifest names, by the stage's folder; undefined where it cannot be read. */
  readonly manifests: ReadonlyMap<string, ReadonlySet<string> | undefined>
  /** Folders of runs without a `run.json`: nothing is known of them, and they are left alone. */
  readonly damagedRuns: readonly string[]
}

/**
 * Pure. `grace` in milliseconds. Throws a UserError where a manifest that a run needs cannot be read: what it names is
 * unknown, so no blob can be called garbage.
 */
export function garbage({ now, objects, runs, manifests }: Inventory, grace: number): Garbage {
  const isOld = ({ modified }: StoredObject) => modified < now - grace
  const needed = union(runs.values())
  const folders = stageFolders(objects)
  const unused = folders.filter(({ path, objects }) => !needed.has(path) && objects.every(isOld))
  const kept = folders.filter((folder) => !unused.includes(folder))

  const unreadable = kept.filter(({ path }) => manifests.has(path) && !manifests.get(path))
  if (unreadable.length > 0)
    throw new UserError(
      unreadable.map(({ path }) => ({
        message: `${path}manifest.json cannot be read, so which blobs it names is unknown. \`./zeroshift check --repair\` drops it: its stage is then computed anew`,
      })),
    )
  const named = union(kept.flatMap(({ path }) => manifests.get(path) ?? []))

  // A stage is computed again where one of its blobs was lost. While that goes on, something in its folder is young.
  const finished = kept.filter(({ path, objects }) => manifests.has(path) && objects.every(isOld))
  const left = (name: string) =>
    finished.flatMap(({ path, objects }) => objects.filter((object) => object.path.startsWith(path + name)))

  return {
    stages: unused,
    blobs: objects.filter((object) => {
      const digest = digestOf(object)
      return digest !== undefined && !named.has(digest) && isOld(object)
    }),
    checkpoints: left('checkpoints/'),
    leases: left('lease/'),
    probes: objects.filter((object) => object.path.startsWith(probes) && isOld(object)),
  }
}

/** Reads a store: runs last, so that it knows of every run that had begun when it was done. */
export async function takeInventory(store: ObjectStore): Promise<Inventory> {
  // A store of another format is refused before anything is written to it.
  const format = await readFormat(store)
  const { now, objects: probed } = await clockOf(store)
  const blobs = await store.list('blobs/sha256/')
  const stages = await store.list('stages/')
  const manifests = await pooled(
    stages.filter(({ path }) => stageManifest.test(path)),
    async ({ path }) => [folderOf(path), await digestsIn(store, format, path)] as const,
  )
  const { runs, damagedRuns } = await readRuns(store)
  return {
    now,
    objects: [...blobs, ...probed, ...stages],
    runs,
    manifests: new Map(manifests.flatMap(([path, digests]) => (digests === 'gone' ? [] : [[path, digests]]))),
    damagedRuns,
  }
}

/**
 * Deletes what is garbage and answers what was deleted, which can be less than was found before: right before each
 * part goes, the store is asked again for new runs and for objects that were written anew. A manifest goes before its
 * blobs, so that an end half-way leaves no stage that seems whole and is not.
 */
export async function deleteGarbage(
  store: ObjectStore,
  inventory: Inventory,
  grace: number,
): Promise<Garbage> {
  const isOld = ({ modified }: StoredObject) => modified < inventory.now - grace
  const found = garbage(inventory, grace)

  const stages: StageFolder[] = []
  for (const some of chunks(found.stages, 32)) {
    const needed = union((await readRuns(store)).runs.values())
    await pooled(
      some.filter(({ path }) => !needed.has(path)),
      async ({ path }) => {
        const objects = await store.list(path)
        if (!objects.every(isOld)) return
        const manifest = objects.find((object) => stageManifest.test(object.path))
        if (manifest) await store.delete(manifest.path)
        await deleteAll(
          store,
          objects.filter((object) => object !== manifest),
        )
        stages.push({ path, objects })
      },
    )
  }

  const leftovers = { checkpoints: [] as StoredObject[], leases: [] as StoredObject[] }
  for (const kind of ['checkpoints', 'leases'] as const)
    for (const [folder, objects] of groupedBy(folderOf, found[kind])) {
      if (!(await store.list(folder)).every(isOld)) continue
      await deleteAll(store, objects)
      leftovers[kind].push(...objects)
    }
  await deleteAll(store, found.probes)

  // Anew: a stage may have been finished, and a run begun, since the manifests were read.
  const blobs: StoredObject[] = []
  const unnamed = garbage({ ...(await takeInventory(store)), now: inventory.now }, grace).blobs
  for (const [directory, some] of groupedBy(directoryOf, unnamed)) {
    const old = new Set((await store.list(directory)).filter(isOld).map(({ path }) => path))
    const going = some.filter(({ path }) => old.has(path))
    await deleteAll(store, going)
    blobs.push(...going)
  }
  return { stages, blobs, ...leftovers, probes: found.probes }
}

const probes = 'doctor/'
const stagePath = /^stages\/[a-z]+\/[0-9a-f]{64}\//
const stageManifest = /^stages\/[a-z]+\/[0-9a-f]{64}\/manifest\.json$/

function folderOf(path: string): string {
  return stagePath.exec(path)?.[0] ?? ''
}

const directoryOf = (path: string) => path.slice(0, path.lastIndexOf('/') + 1)

function digestOf({ path }: StoredObject): string | undefined {
  return /^blobs\/sha256\/[0-9a-f]{2}\/([0-9a-f]{64})$/.exec(path)?.[1]
}

function stageFolders(objects: readonly StoredObject[]): StageFolder[] {
  const stages = objects.filter(({ path }) => stagePath.test(path))
  return [...groupedBy(folderOf, stages)].map(([path, objects]) => ({ path, objects }))
}

/** Milliseconds since 1970, by the store's clock. Writes an object and deletes it. */
export async function storeClock(store: ObjectStore): Promise<number> {
  return (await clockOf(store)).now
}

/** The store's own clock: the date of an object written now. What was under `doctor/` before comes along. */
async function clockOf(store: ObjectStore): Promise<{ now: number; objects: readonly StoredObject[] }> {
  const path = `${probes}clock-${randomUUID()}`
  await store.put(path, new TextEncoder().encode('clock'))
  try {
    const objects = await store.list(probes)
    const probe = objects.find((object) => object.path === path)
    if (!probe) throw new Error(`${store.locate(path)} was written and is not listed; expected it to be`)
    return { now: probe.modified, objects: objects.filter((object) => object !== probe) }
  } finally {
    await store.delete(path)
  }
}

async function readRuns(store: ObjectStore): Promise<Pick<Inventory, 'runs' | 'damagedRuns'>> {
  const objects = await store.list('runs/')
  const ids = new Set(objects.flatMap(({ path }) => /^runs\/([^/]+)\//.exec(path)?.[1] ?? []))
  const records = new Set(
    objects.map(({ path }) => path).filter((path) => /^runs\/[^/]+\/run\.json$/.test(path)),
  )
  const runs = await pooled(
    [...ids].filter((id) => records.has(`runs/${id}/run.json`)),
    async (id) => {
      const stages = await stagesNamedIn(store, `runs/${id}/run.json`)
      return stages ? [[id, stages] as const] : []
    },
  )
  return {
    runs: new Map(runs.flat()),
    damagedRuns: [...ids].filter((id) => !records.has(`runs/${id}/run.json`)).map((id) => `runs/${id}`),
  }
}

/** undefined: the record was deleted in the meantime. */
async function stagesNamedIn(store: ObjectStore, path: string): Promise<ReadonlySet<string> | undefined> {
  const bytes = await store.get(path)
  if (!bytes) return undefined
  try {
    const record = parsed(bytes)
    if (recordFlaw(record, path.split('/')[1] ?? '') !== undefined) throw new Error('it was changed')
    return new Set(stagesOf((record as RunRecord).plan).map(stageFolder))
  } catch {
    throw new UserError(
      `${store.locate(path)} is not the record of a run, so what its run needs is unknown and nothing can be called ` +
        'unused. Put it right by running the same experiment again, or delete its folder if nobody needs the run.',
    )
  }
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

const parsed = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes))

function deleteAll(store: ObjectStore, objects: readonly StoredObject[]): Promise<unknown> {
  return pooled(objects, ({ path }) => store.delete(path))
}

function groupedBy(
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

function union<T>(sets: Iterable<ReadonlySet<T>>): Set<T> {
  const all = new Set<T>()
  for (const set of sets) for (const item of set) all.add(item)
  return all
}
