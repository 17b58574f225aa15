import { UserError } from '../../common/errors.ts'
import {
  blobDigest,
  stageFolderOf,
  groupByPath,
  removalsFolder,
  stageManifest,
  takeInventory,
  type Inventory,
} from './inventory.ts'
import { chunks, mapConcurrently } from '../../common/concurrency.ts'
import { probesFolder } from '../store/store-clock.ts'
import type { ObjectStore, StoredObject } from '../store/object-store.ts'
import { readRuns, refuseUnknown, type StoredRun } from './stored-runs.ts'

/**
 * The objects that no run needs. A run needs the stages of its plan, the blobs that their manifests
 * name, and its attachments. The models that the records of ledgers name are needed as well.
 * Objects that are younger than a grace period are never garbage: a stage writes its blobs before
 * the manifest that names them. A run writes `run.json` before it reads anything else.
 */
export interface Garbage {
  /** The stages that no run needs. */
  readonly stages: readonly StageFolder[]
  /**
   * The blobs that are no attachment of a run, that no record of a ledger names, and that no
   * manifest names, apart from the manifests of `stages`.
   */
  readonly blobs: readonly StoredObject[]
  /** The checkpoints of finished stages, from which no attempt continues. */
  readonly checkpoints: readonly StoredObject[]
  /** The leases of finished stages. */
  readonly leases: readonly StoredObject[]
  /** The objects that `zeroshift doctor` and others wrote to test the store. */
  readonly probes: readonly StoredObject[]
  /** The notes of removals that were interrupted and not finished. */
  readonly removals: readonly StoredObject[]
}

export interface StageFolder {
  /** `stages/<kind>/<key>/` */
  readonly path: string
  readonly objects: readonly StoredObject[]
}

/**
 * The part of an inventory that decides what is garbage. A run whose stages are unknown counts as a
 * run that needs nothing, so callers use `refuseUnknown` before.
 */
export interface Holdings extends Pick<Inventory, 'now' | 'objects' | 'manifests' | 'ledgers'> {
  readonly runs: ReadonlyMap<string, Pick<StoredRun, 'stages' | 'attachments'>>
}

/** A set of stages and blobs. */
export interface Scope {
  /** The folders of the stages. */
  readonly stages: ReadonlySet<string>
  /** The SHA-256s of the blobs. */
  readonly blobs: ReadonlySet<string>
}

/**
 * Finds the garbage of a store. Pure. Throws a UserError if the manifest of a stage that stays is
 * not valid: since its blobs are unknown, no blob can count as garbage.
 *
 * @param grace the grace period in milliseconds
 */
export function garbage({ now, objects, runs, manifests, ledgers }: Holdings, grace: number): Garbage {
  const isOld = ({ modified }: StoredObject) => modified < now - grace
  const needed = neededBy(runs)
  const folders = stageFolders(objects)
  const unused = folders.filter(({ path, objects }) => !needed.has(path) && objects.every(isOld))
  const gone = new Set(unused)
  const kept = folders.filter((folder) => !gone.has(folder))

  refuseUnreadable(
    { manifests },
    kept.map(({ path }) => path),
  )
  const named = new Set([
    ...kept.flatMap(({ path }) => [...(manifests.get(path) ?? [])]),
    ...[...runs.values()].flatMap(({ attachments }) => [...attachments]),
    ...[...(ledgers?.values() ?? [])].flatMap(({ models }) => [...models]),
  ])

  // A finished stage is computed again if one of its blobs was lost. Its folder then has young
  // objects.
  const finished = kept.filter(({ path, objects }) => manifests.has(path) && objects.every(isOld))
  const left = (name: string) =>
    finished.flatMap(({ path, objects }) => objects.filter((object) => object.path.startsWith(path + name)))
  const old = (prefix: string) => objects.filter((object) => object.path.startsWith(prefix) && isOld(object))

  return {
    stages: unused,
    blobs: objects.filter((object) => {
      const digest = blobDigest(object)
      return digest !== undefined && !named.has(digest) && isOld(object)
    }),
    checkpoints: left('checkpoints/'),
    leases: left('lease/'),
    probes: old(probesFolder),
    removals: old(removalsFolder),
  }
}

/**
 * The part of the garbage that is in a scope. Stages outside the scope count as needed, and so do
 * their blobs. Pure.
 */
export function garbageWithin(holdings: Holdings, scope: Scope, grace: number): Garbage {
  const others = [...holdings.manifests].flatMap(([path, digests]) =>
    digests && !scope.stages.has(path) ? [path] : [],
  )
  const runs = new Map([
    ...holdings.runs,
    ['', { stages: new Set(others), attachments: new Set<string>() }] as const,
  ])
  const { stages, blobs } = garbage({ ...holdings, runs }, grace)
  return {
    stages: stages.filter(({ path }) => scope.stages.has(path)),
    blobs: blobs.filter((object) => scope.blobs.has(blobDigest(object) ?? '')),
    ...{ checkpoints: [], leases: [], probes: [], removals: [] },
  }
}

export interface DeleteOptions {
  /** If given, nothing outside the scope is deleted. */
  readonly scope?: Scope
  /** Called before each deletion. Throws if this command has lost the lock of the store. */
  readonly confirm?: () => void
}

/**
 * Deletes garbage and returns what was deleted. This may be less than the garbage of the inventory,
 * because the store is asked again, right before each part is deleted, for new runs and for objects
 * that were written again. A manifest is deleted before its blobs, so that an interruption leaves
 * no manifest without blobs. Throws a UserError if the needs of a run are unknown.
 */
export async function deleteGarbage(
  store: ObjectStore,
  inventory: Inventory,
  grace: number,
  { scope, confirm = () => undefined }: DeleteOptions = {},
): Promise<Garbage> {
  refuseUnknown(store, inventory.runs)
  const isOld = ({ modified }: StoredObject) => modified < inventory.now - grace
  const find = (taken: Inventory) => (scope ? garbageWithin(taken, scope, grace) : garbage(taken, grace))
  const found = find(inventory)

  const stages: StageFolder[] = []
  for (const some of chunks(found.stages, 32)) {
    confirm()
    const runs = await readRuns(store)
    refuseUnknown(store, runs)
    const needed = neededBy(runs)
    await mapConcurrently(
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
    for (const [folder, objects] of groupByPath(stageFolderOf, found[kind])) {
      confirm()
      if (!(await store.list(folder)).every(isOld)) continue
      await deleteAll(store, objects)
      leftovers[kind].push(...objects)
    }
  await deleteAll(store, [...found.probes, ...found.removals])

  // A stage may have finished, and a run may have begun, since the manifests were read.
  const blobs: StoredObject[] = []
  const again = await takeInventory(store, inventory.now)
  refuseUnknown(store, again.runs)
  for (const [directory, some] of groupByPath(directoryOf, find(again).blobs)) {
    confirm()
    const old = new Set((await store.list(directory)).filter(isOld).map(({ path }) => path))
    const going = some.filter(({ path }) => old.has(path))
    await deleteAll(store, going)
    blobs.push(...going)
  }
  return { stages, blobs, ...leftovers, probes: found.probes, removals: found.removals }
}

/** Throws a UserError if the manifest of one of these stages cannot be read. */
export function refuseUnreadable(
  { manifests }: Pick<Inventory, 'manifests'>,
  folders: Iterable<string>,
): void {
  const unreadable = [...new Set(folders)].filter((path) => manifests.has(path) && !manifests.get(path))
  if (unreadable.length > 0)
    throw new UserError(
      unreadable.map((path) => ({
        message: `${path}manifest.json cannot be read, so which blobs it names is unknown. \`./zeroshift check --repair\` drops it: its stage is then computed anew`,
      })),
    )
}

/** The folders of the stages that runs need. */
export function neededBy(runs: Holdings['runs']): ReadonlySet<string> {
  return new Set([...runs.values()].flatMap(({ stages }) => [...(stages ?? [])]))
}

const directoryOf = (path: string) => path.slice(0, path.lastIndexOf('/') + 1)

/** The folders of all stages, with their objects. */
export function stageFolders(objects: readonly StoredObject[]): readonly StageFolder[] {
  const stages = objects.filter(({ path }) => stageFolderOf(path) !== '')
  return [...groupByPath(stageFolderOf, stages)].map(([path, objects]) => ({ path, objects }))
}

function deleteAll(store: ObjectStore, objects: readonly StoredObject[]): Promise<unknown> {
  return mapConcurrently(objects, ({ path }) => store.delete(path))
}
