import { UserError } from '../../common/errors.ts'
import { ledgerOfRun } from '../../experiment/ledger/ledger.ts'
import type { Inventory } from './inventory.ts'

/** The rules for keeping runs. A run stays if either rule keeps it. */
export interface Retention {
  /** Keeps this number of the newest runs. */
  readonly last?: number
  /** Keeps the runs of this period, in milliseconds, before the newest run. */
  readonly within?: number
}

/** A sweep with its cells, or a run that was started by itself. */
export interface Unit {
  readonly kind: 'run' | 'sweep'
  readonly id: string
  readonly name: string
  /** The newest of its records and reports, in milliseconds since 1970 by the store's clock. */
  readonly date: number
  /** The ids of its runs, or, in `Expired`, of those runs that are removed with it. */
  readonly runs: readonly string[]
}

export interface Expired {
  /** Newest first. */
  readonly units: readonly Unit[]
  /** The ids of the runs that are removed: those that belong to no remaining unit. */
  readonly runs: readonly string[]
}

/**
 * Finds the runs and sweeps that no rule keeps. Pure. The period is counted back from the newest
 * run of the store, not from a clock, so that a preview shows exactly what a deletion removes. Runs
 * without a valid record stay, and so do the steps of ledgers. Throws a UserError if the cells of a
 * sweep are unknown.
 *
 * @param isBusy whether the run or the sweep with this id is being computed, and therefore stays
 */
export function expired(
  { runs, sweeps, ledgers }: Pick<Inventory, 'runs' | 'sweeps' | 'ledgers'>,
  { last, within }: Retention,
  isBusy: (id: string) => boolean,
): Expired {
  const units = unitsOf({ runs, sweeps, ...(ledgers && { ledgers }) })
  const newest = units[0]?.date ?? 0
  const isKept = ({ id, date, runs }: Unit, place: number) =>
    (last !== undefined && place < last) ||
    (within !== undefined && date >= newest - within) ||
    [id, ...runs].some(isBusy)
  const gone = new Set(units.filter((unit, place) => !isKept(unit, place)))
  const left = new Set(units.flatMap((unit) => (gone.has(unit) ? [] : unit.runs)))
  const going = [...gone].map((unit) => ({ ...unit, runs: unit.runs.filter((id) => !left.has(id)) }))
  return {
    // A run that was started by itself stays if it is also a cell of a remaining sweep.
    units: going.filter(({ kind, runs }) => kind === 'sweep' || runs.length > 0),
    runs: [...new Set(going.flatMap(({ runs }) => runs))],
  }
}

function unitsOf({ runs, sweeps, ledgers }: Pick<Inventory, 'runs' | 'sweeps' | 'ledgers'>): readonly Unit[] {
  const unreadable = [...sweeps.values()].filter(({ runs }) => !runs)
  if (unreadable.length > 0)
    throw new UserError(
      unreadable.map(({ id }) => ({
        message:
          `sweeps/${id}/sweep.json is not the record of a sweep, so which runs are its cells is unknown. Start the same sweep again, ` +
          `or remove it: ./zeroshift rm ${id} --delete`,
      })),
    )
  const isOfLedger = (id: string) => ledgerOfRun(id, ledgers?.keys() ?? []) !== undefined
  const readable = [...runs.values()].filter(({ id, flaw }) => flaw === undefined && !isOfLedger(id))
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
