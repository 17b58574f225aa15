import { UserError, type Problem } from '../../common/errors.ts'
import { nearest } from '../../common/nearest.ts'
import { garbageWithin, neededBy, stageFolders, type Garbage, type Scope } from './gc.ts'
import { ledgerOfRun } from '../../experiment/ledger/ledger.ts'
import { blobDigest, type Inventory } from './inventory.ts'
import type { RemovalNote, RemovalNotes } from './removal-notes.ts'
import type { StoredObject } from '../store/object-store.ts'
import { unknownRuns, type StoredRun, type StoredSweep } from './stored-runs.ts'

/** The parts of a store that a removal takes away. */
export interface Removal {
  readonly sweeps: readonly StoredSweep[]
  readonly runs: readonly StoredRun[]
  /** The cells of the removed sweeps that stay, with the reason. */
  readonly staying: readonly { readonly id: string; readonly why: string }[]
  /** The stages and blobs that the removed runs need, whether or not other runs need them too. */
  readonly scope: Scope
  /** The notes that let the same command finish this removal if it is interrupted. */
  readonly notes: RemovalNotes
}

/**
 * Plans the removal of runs and sweeps. Pure. Throws a UserError for an unknown id, for a run that
 * is a cell of a sweep which stays, and for a run that is a step of a ledger.
 *
 * @param options.cells whether the cells of a sweep are removed as well, except those of another
 *   sweep and those that were also started by themselves
 * @param options.notes the notes of unfinished removals, which this one continues
 */
export function planRemoval(
  inventory: Inventory,
  ids: readonly string[],
  { cells, notes }: { readonly cells: boolean; readonly notes: RemovalNotes },
): Removal {
  const asked = new Set(ids)
  const isKnown = (id: string) => inventory.sweeps.has(id) || inventory.runs.has(id)
  // A run or a sweep that exists again was started again: the old note is not about it.
  const left = new Map([...notes].filter(([id]) => asked.has(id) && !isKnown(id)))
  const others = [...inventory.sweeps.values()].filter(({ id }) => !asked.has(id))
  refuse([...asked].flatMap((id) => problemOf(id, inventory, left, others)))

  const sweeps = [...asked].flatMap((id) => inventory.sweeps.get(id) ?? [])
  const named = [...asked].flatMap((id) => (inventory.sweeps.has(id) ? [] : (inventory.runs.get(id) ?? [])))
  const noted = [...left.values()].flatMap((note) => note.cells)
  const restarted = noted.filter(({ id, written }) => inventory.runs.get(id)?.written !== written)
  const candidates = new Set([
    ...(cells ? sweeps.flatMap(({ runs }) => [...(runs ?? [])]) : []),
    ...noted.map(({ id }) => id),
  ])
  const whyStays = reasonsToStay(others, new Set(restarted.map(({ id }) => id)))
  const decided = [...candidates]
    .filter((id) => !asked.has(id))
    .flatMap((id) => inventory.runs.get(id) ?? [])
    .map((run) => ({ run, why: whyStays(run) }))
  const runs = [...named, ...decided.flatMap(({ run, why }) => (why === undefined ? [run] : []))]
  if (runs.length > 0) refuse(others.flatMap(unreadableSweep))

  const scopes = [scopeOf(inventory, runs), ...[...left.values()].map(scopeIn)]
  const goesWith = (id: string) =>
    runs.filter((run) => run.id === id || inventory.sweeps.get(id)?.runs?.has(run.id))
  return {
    ...{ sweeps, runs },
    staying: decided.flatMap(({ run, why }) => (why === undefined ? [] : [{ id: run.id, why }])),
    scope: {
      stages: union(scopes.map(({ stages }) => stages)),
      blobs: union(scopes.map(({ blobs }) => blobs)),
    },
    notes: new Map(
      [...asked].map((id) => [id, left.get(id) ?? noteOf(inventory, inventory.sweeps.has(id), goesWith(id))]),
    ),
  }
}

/** The problems that forbid the removal of an id. */
function problemOf(
  id: string,
  { runs, sweeps, ledgers }: Inventory,
  left: RemovalNotes,
  others: readonly StoredSweep[],
): readonly Problem[] {
  if (sweeps.has(id) || left.has(id)) return []
  if (!runs.has(id)) {
    const near = nearest(id, [...runs.keys(), ...sweeps.keys()])
    const hint = near === undefined ? 'expected the id of one' : `did you mean ${near}?`
    return [{ message: `the store has no run and no sweep '${id}'; ${hint}` }]
  }
  const ledger = ledgerOfRun(id, ledgers?.keys() ?? [])
  if (ledger !== undefined)
    return [
      {
        message: `${id} is a step of the ledger ${ledger}, whose records refer to it as evidence; it stays as long as the ledger`,
      },
    ]
  const sweep = sweepWith(id, others)
  return sweep === undefined
    ? []
    : [
        {
          message: `${id} is a cell of the sweep ${sweep}, whose report is made from it. Remove the sweep: ./zeroshift rm ${sweep}, with --cells for its cells as well`,
        },
      ]
}

/**
 * A function that gives the reason why a cell of a removed sweep stays, or undefined if it is
 * removed.
 */
function reasonsToStay(others: readonly StoredSweep[], restarted: ReadonlySet<string>) {
  return ({ id, isOwn }: StoredRun): string | undefined => {
    const sweep = sweepWith(id, others)
    if (sweep !== undefined) return `it is a cell of the sweep ${sweep} as well`
    if (isOwn) return 'it was also started by itself'
    return restarted.has(id) ? 'it was started again' : undefined
  }
}

function unreadableSweep({ id, runs }: StoredSweep): readonly Problem[] {
  return runs
    ? []
    : [
        {
          message:
            `sweeps/${id}/sweep.json is not the record of a sweep, so whether a run is its cell is unknown. Start the same sweep ` +
            `again, or remove it as well: ./zeroshift rm ${id}`,
        },
      ]
}

function sweepWith(run: string, sweeps: readonly StoredSweep[]): string | undefined {
  return sweeps.find(({ runs }) => runs?.has(run))?.id
}

/**
 * The removal of runs and sweeps that a retention rule no longer keeps. No run may be a cell of a
 * sweep that stays. It needs no notes, because the next retention finds the rest again.
 */
export function removalOf(
  inventory: Inventory,
  { sweeps, runs }: { readonly sweeps: readonly string[]; readonly runs: readonly string[] },
): Removal {
  const going = runs.flatMap((id) => inventory.runs.get(id) ?? [])
  return {
    sweeps: sweeps.flatMap((id) => inventory.sweeps.get(id) ?? []),
    runs: going,
    staying: [],
    scope: scopeOf(inventory, going),
    notes: new Map(),
  }
}

/** The stages and blobs that a removal frees, and those that it does not. */
export interface Freed {
  /** No other run needs them, and they are old enough to be deleted at once. */
  readonly now: Garbage
  /** No other run needs them, but they are younger than the grace period. */
  readonly later: Garbage
  /** Other runs need them as well. */
  readonly shared: {
    readonly stages: number
    readonly objects: readonly StoredObject[]
    readonly runs: readonly string[]
  }
  /** The remaining runs whose needs are unknown. Nothing is freed if there are any. */
  readonly unknown: readonly StoredRun[]
}

/**
 * What a removal frees. Pure.
 *
 * @param grace the grace period in milliseconds
 */
export function freedBy(inventory: Inventory, removal: Removal, grace: number): Freed {
  const { scope } = removal
  const rest = withoutRuns(inventory, removal.runs)
  const unknown = unknownRuns(rest.runs)
  const all = unknown.length > 0 ? noGarbage : garbageWithin(rest, scope, -Infinity)
  const now = unknown.length > 0 ? noGarbage : garbageWithin(rest, scope, grace)
  const going = new Set([...now.stages.map(({ path }) => path), ...now.blobs.map(({ path }) => path)])
  const needed = neededBy(rest.runs)
  const stages = stageFolders(rest.objects).filter(({ path }) => scope.stages.has(path) && needed.has(path))
  const blobs = union(stages.map(({ path }) => rest.manifests.get(path) ?? new Set<string>()))
  return {
    now,
    later: {
      ...noGarbage,
      stages: all.stages.filter(({ path }) => !going.has(path)),
      blobs: all.blobs.filter(({ path }) => !going.has(path)),
    },
    shared: {
      stages: stages.length,
      objects: [
        ...stages.flatMap(({ objects }) => objects),
        ...rest.objects.filter((object) => blobs.has(blobDigest(object) ?? '')),
      ],
      runs: [...rest.runs.values()]
        .filter((run) => stages.some(({ path }) => run.stages?.has(path)))
        .map(({ id }) => id),
    },
    unknown,
  }
}

/** An inventory without some of its runs. */
export function withoutRuns(inventory: Inventory, runs: readonly StoredRun[]): Inventory {
  const gone = new Set(runs.map(({ id }) => id))
  return { ...inventory, runs: new Map([...inventory.runs].filter(([id]) => !gone.has(id))) }
}

export const noGarbage: Garbage = {
  stages: [],
  blobs: [],
  checkpoints: [],
  leases: [],
  probes: [],
  removals: [],
}

function scopeOf({ manifests }: Inventory, runs: readonly StoredRun[]): Scope {
  const stages = union(runs.map((run) => run.stages ?? new Set<string>()))
  const made = [...stages].map((path) => manifests.get(path) ?? new Set<string>())
  return { stages, blobs: union([...made, ...runs.map(({ attachments }) => attachments)]) }
}

function scopeIn({ stages, blobs }: RemovalNote): Scope {
  return { stages: new Set(stages), blobs: new Set(blobs) }
}

function noteOf(inventory: Inventory, isSweep: boolean, runs: readonly StoredRun[]): RemovalNote {
  const { stages, blobs } = scopeOf(inventory, runs)
  const cells = runs.map(({ id, written }) => ({ id, ...(written !== undefined && { written }) }))
  return { cells: isSweep ? cells : [], stages: [...stages], blobs: [...blobs] }
}

function union(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  return new Set(sets.flatMap((set) => [...set]))
}

function refuse(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new UserError(problems)
}
