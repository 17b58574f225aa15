import { deleteGarbage } from './gc.ts'
import type { Inventory } from './inventory.ts'
import { deleteNotes, putNotes } from './removal-notes.ts'
import { freedBy, noGarbage, withoutRuns, type Freed, type Removal } from './plan-removal.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { dateOfObject } from './stored-runs.ts'

export interface RemovedRecords {
  readonly sweeps: readonly string[]
  readonly runs: readonly string[]
  /** The runs and sweeps that stay because they were started again in the meantime. */
  readonly restarted: readonly string[]
}

/**
 * Deletes records and reports. Sweeps are deleted before their cells, and in each folder the record
 * is deleted last. An interruption therefore leaves a consistent store, and the same command
 * finishes the removal with the help of the notes.
 */
export async function removeRecords(
  store: ObjectStore,
  { sweeps, runs, notes }: Removal,
  confirm: () => void,
): Promise<RemovedRecords> {
  await putNotes(store, notes)
  const removed = { sweeps: [] as string[], runs: [] as string[], restarted: [] as string[] }
  for (const sweep of sweeps) {
    confirm()
    const record = `sweeps/${sweep.id}/sweep.json`
    const isGone = await deleteFolder(store, `sweeps/${sweep.id}/`, record, sweep.written)
    removed[isGone ? 'sweeps' : 'restarted'].push(sweep.id)
  }
  // If a sweep was started again, its cells stay.
  const needed = new Set(
    sweeps.flatMap((sweep) => (removed.restarted.includes(sweep.id) ? [...(sweep.runs ?? [])] : [])),
  )
  for (const run of runs) {
    confirm()
    if (needed.has(run.id)) continue
    const record = `runs/${run.id}/run.json`
    const isGone = await deleteFolder(store, `runs/${run.id}/`, record, run.written)
    removed[isGone ? 'runs' : 'restarted'].push(run.id)
  }
  return removed
}

/**
 * Deletes records and reports, then the stages and blobs that only they needed and that are older
 * than the grace period.
 */
export async function remove(
  store: ObjectStore,
  inventory: Inventory,
  removal: Removal,
  { grace, confirm }: { readonly grace: number; readonly confirm: () => void },
): Promise<RemovedRecords & { readonly freed: Freed }> {
  // Throws before anything is deleted if the removal is not possible.
  freedBy(inventory, removal, grace)
  const removed = await removeRecords(store, removal, confirm)
  const gone = removal.runs.filter(({ id }) => removed.runs.includes(id))
  const rest = withoutRuns(inventory, gone)
  const found = freedBy(inventory, { ...removal, runs: gone }, grace)
  const freed =
    found.unknown.length > 0
      ? noGarbage
      : await deleteGarbage(store, rest, grace, { scope: removal.scope, confirm })
  await deleteNotes(store, new Set(removal.notes.keys()))
  return { ...removed, freed: { ...found, now: freed } }
}

/**
 * Deletes a folder, its record last, and returns true. Deletes nothing and returns false if the
 * record was written again since the date `written`.
 */
async function deleteFolder(
  store: ObjectStore,
  folder: string,
  record: string,
  written: number | undefined,
): Promise<boolean> {
  const objects = await store.list(folder)
  const now = dateOfObject(objects, record)
  if (now !== undefined && now !== written) return false
  for (const { path } of objects) if (path !== record) await store.delete(path)
  await store.delete(record)
  return true
}
