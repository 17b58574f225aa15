import { UserError } from '../../common/errors.ts'
import {
  digestOf,
  folderOf,
  groupedBy,
  removals,
  stageManifest,
  takeInventory,
  type Inventory,
} from './inventory.ts'
import { chunks, pooled } from '../../common/concurrency.ts'
import { probes } from '../store/store-clock.ts'
import type { ObjectStore, StoredObject } from '../store/object-store.ts'
import { readRuns, refuseUnknown, type StoredRun } from './stored-runs.ts'

/**
 * What no run refers to any more. A run needs the stages of its plan and the blobs that their
 * manifests name. A run writes `run.json` before it looks anything up, and a stage its blobs before
 * its manifest, so what is younger than a grace period is never garbage: it may belong to a stage
 * that is about to name it.
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
  /** Notes of removals that were interrupted and that nobody has finished. */
  readonly removals: readonly StoredObject[]
}

export interface StageFolder {
  /** `stages/<kind>/<key>/` */
  readonly path: string
  readonly objects: readonly StoredObject[]
}

/**
 * What garbage is told by. Of a run whose stages are unknown nothing counts as needed: see
 * `refuseUnknown`.
 */
export interface Holdings extends Pick<Inventory, 'now' | 'objects' | 'manifests'> {
  readonly runs: ReadonlyMap<string, Pick<StoredRun, 'stages'>>
}

/** Stages and blobs. */
export interface Scope {
  /** Their folders. */
  readonly stages: ReadonlySet<string>
  /** Their SHA-256s. */
  readonly blobs: ReadonlySet<string>
}

/**
 * Pure. `grace` in milliseconds. Throws a UserError where a manifest that a run needs cannot be
 * read: what it names is unknown, so no blob can be called garbage.
 */
export function garbage({ now, objects, runs, manifests }: Holdings, grace: number): Garbage {
  const isOld = ({ modified }: StoredObject) => modified < now - grace
  const needed = neededBy(runs)
  const folders = stageFolders(objects)
  const unused = folders.filter(({ path, objects }) => !needed.has(path) && objects.every(isOld))
  const gone = new Set(unused)
  const kept = folders.filter((folder) => !gone.has(folder))

  const unreadable = kept.filter(({ path }) => manifests.has(path) && !manifests.get(path))
  if (unreadable.length > 0)
    throw new UserError(
      unreadable.map(({ path }) => ({
        message: `${path}manifest.json cannot be read, so which blobs it names is unknown. \`./zeroshift check --repair\` drops it: its stage is then computed anew`,
      })),
    )
  const named = new Set(kept.flatMap(({ path }) => [...(manifests.get(path) ?? [])]))

  // A stage is computed again where one of its blobs was lost. While that goes on, something in its folder is young.
  const finished = kept.filter(({ path, objects }) => manifests.has(path) && objects.every(isOld))
  const left = (name: string) =>
    finished.flatMap(({ path, objects }) => objects.filter((object) => object.path.startsWith(path + name)))
  const old = (prefix: string) => objects.filter((object) => object.path.startsWith(prefix) && isOld(object))

  return {
    stages: unused,
    blobs: objects.filter((object) => {
      const digest = digestOf(object)
      return digest !== undefined && !named.has(digest) && isOld(object)
    }),
    checkpoints: left('checkpoints/'),
    leases: left('lease/'),
    probes: old(probes),
    removals: old(removals),
  }
}

/**
 * The part of the garbage that belongs to these stages and blobs. Stages outside of them stay,
 * needed or not, and with them the blobs that they name. Pure.
 */
export function garbageWithin(holdings: Holdings, scope: Scope, grace: number): Garbage {
  const others = [...holdings.manifests].flatMap(([path, digests]) =>
    digests && !scope.stages.has(path) ? [path] : [],
  )
  const runs = new Map([...holdings.runs, ['', { stages: new Set(others) }] as const])
  const { stages, blobs } = garbage({ ...holdings, runs }, grace)
  return {
    stages: stages.filter(({ path }) => scope.stages.has(path)),
    blobs: blobs.filter((object) => scope.blobs.has(digestOf(object) ?? '')),
    ...{ checkpoints: [], leases: [], probes: [], removals: [] },
  }
}

export interface DeleteOptions {
  /** Nothing else is deleted. */
  readonly scope?: Scope
  /** Called before each part goes; throws where the store is somebody else's by now. */
  readonly confirm?: () => void
}

/**
 * Deletes what is garbage and answers what was deleted, which can be less than was found before:
 * right before each part goes, the store is asked again for new runs and for objects that were
 * written anew. A manifest goes before its blobs, so that an end half-way leaves no stage that
 * seems whole and is not. Throws a UserError where a run is there whose needs are unknown.
 */
export async function deleteGarbage(
  store: ObjectStore,
  inventory: Inventory,
  grace: number,
  { scope, confirm = () => undefined }: DeleteOptions = {},
): Promise<Garbage> {
  refuseUnknown(store, inventory.runs)
  const isOld = ({ modified }: StoredObject) => modified < inventory.now - grace
  const look = (taken: Inventory) => (scope ? garbageWithin(taken, scope, grace) : garbage(taken, grace))
  const found = look(inventory)

  const stages: StageFolder[] = []
  for (const some of chunks(found.stages, 32)) {
    confirm()
    const runs = await readRuns(store)
    refuseUnknown(store, runs)
    const needed = neededBy(runs)
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
      confirm()
      if (!(await store.list(folder)).every(isOld)) continue
      await deleteAll(store, objects)
      leftovers[kind].push(...objects)
    }
  await deleteAll(store, [...found.probes, ...found.removals])

  // Anew: a stage may have been finished, and a run begun, since the manifests were read.
  const blobs: StoredObject[] = []
  const again = await takeInventory(store, inventory.now)
  refuseUnknown(store, again.runs)
  for (const [directory, some] of groupedBy(directoryOf, look(again).blobs)) {
    confirm()
    const old = new Set((await store.list(directory)).filter(isOld).map(({ path }) => path))
    const going = some.filter(({ path }) => old.has(path))
    await deleteAll(store, going)
    blobs.push(...going)
  }
  return { stages, blobs, ...leftovers, probes: found.probes, removals: found.removals }
}

/** The folders of the stages that runs need. */
export function neededBy(runs: Holdings['runs']): ReadonlySet<string> {
  return new Set([...runs.values()].flatMap(({ stages }) => [...(stages ?? [])]))
}

const directoryOf = (path: string) => path.slice(0, path.lastIndexOf('/') + 1)

export function stageFolders(objects: readonly StoredObject[]): readonly StageFolder[] {
  const stages = objects.filter(({ path }) => folderOf(path) !== '')
  return [...groupedBy(folderOf, stages)].map(([path, objects]) => ({ path, objects }))
}

function deleteAll(store: ObjectStore, objects: readonly StoredObject[]): Promise<unknown> {
  return pooled(objects, ({ path }) => store.delete(path))
}
