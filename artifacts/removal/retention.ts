import { UserError } from '../../common/errors.ts'
import type { Inventory } from './inventory.ts'

/** Which runs are kept. A run that either rule keeps stays. */
export interface Retention {
  /** So many of the newest. */
  readonly last?: number
  /** Those of this time before the newest one, in milliseconds. */
  readonly within?: number
}

/** A sweep with its cells, or a run that somebody asked for itself. */
export interface Unit {
  readonly kind: 'run' | 'sweep'
  readonly id: string
  readonly name: string
  /** The newest of its records and reports, in milliseconds since 1970 by the store's clock. */
  readonly date: number
  /** Ids; of a unit that goes, those that go with it. */
  readonly runs: readonly string[]
}

export interface Expired {
  /** Newest first. */
  readonly units: readonly Unit[]
  /** Ids of the runs that go with them: those that no unit which stays has. */
  readonly runs: readonly string[]
}

/**
 * What no rule keeps. Pure. Dates are compared with each other alone: the period is counted back
 * from the newest run of the store, so that no clock has a part in it and a look shows what a
 * deletion takes. Runs without a record are left alone. `isBusy` says of an id that it is being
 * computed, which keeps it. Throws a UserError where the cells of a sweep are unknown.
 */
export function expired(
  { runs, sweeps }: Pick<Inventory, 'runs' | 'sweeps'>,
  { last, within }: Retention,
  isBusy: (id: string) => boolean,
): Expired {
  const units = unitsOf({ runs, sweeps })
  const newest = units[0]?.date ?? 0
  const isKept = ({ id, date, runs }: Unit, place: number) =>
    (last !== undefined && place < last) ||
    (within !== undefined && date >= newest - within) ||
    [id, ...runs].some(isBusy)
  const gone = new Set(units.filter((unit, place) => !isKept(unit, place)))
  const left = new Set(units.flatMap((unit) => (gone.has(unit) ? [] : unit.runs)))
  const going = [...gone].map((unit) => ({ ...unit, runs: unit.runs.filter((id) => !left.has(id)) }))
  return {
    // A run of its own that is also a cell of a sweep which stays is not removed.
    units: going.filter(({ kind, runs }) => kind === 'sweep' || runs.length > 0),
    runs: [...new Set(going.flatMap(({ runs }) => runs))],
  }
}

function unitsOf({ runs, sweeps }: Pick<Inventory, 'runs' | 'sweeps'>): readonly Unit[] {
  const unreadable = [...sweeps.values()].filter(({ runs }) => !runs)
  if (unreadable.length > 0)
    throw new UserError(
      unreadable.map(({ id }) => ({
        message:
          `sweeps/${id}/sweep.json is not the record of a sweep, so which runs are its cells is unknown. Start the same sweep again, ` +
          `or remove it: ./zeroshift rm ${id} --delete`,
      })),
    )
  const readable = [...runs.values()].filter(({ flaw }) => flaw === undefined)
  const known = new Map(readable.map((run) => [run.id, run]))
  const swept = [...sweeps.values()].map((sweep): Unit => {
    const cells = [...(sweep.runs ?? [])].flatMap((id) => known.get(id) ?? [])
    const date = Math.max(sweep.date, ...cells.map((run) => run.date))
    return { kind: 'sweep', id: sweep.id, name: sweep.name, date, runs: cells.map(({ id }) => id) }
  })
  const cells = new Set(swept.flatMap((unit) => unit.runs))
  const single = readable
    .filter(({ id, isOwn }) => isOwn || !cells.has(id))
    .map(({ id, name, date }): Unit => ({ kind: 'run', id, name, date, runs: [id] }))
  return [...swept, ...single].sort((a, b) => b.date - a.date || (a.id < b.id ? -1 : 1))
}
