import { deleteGarbage } from './gc.ts'
import type { Inventory } from './inventory.ts'
import { dropNotes, putNotes } from './removal-notes.ts'
import { freedBy, nothing, without, type Freed, type Removal } from './plan-removal.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { writtenAt } from './stored-runs.ts'

export interface RemovedRecords {
  readonly sweeps: readonly string[]
  readonly runs: readonly string[]
  /** Started again since they were looked at: they stay. */
  readonly restarted: readonly string[]
}

/**
 * Deletes the records and reports. A sweep's record goes before those of its cells, and of each the
 * record last, so that an end half-way leaves a sound store: the rest is asked for again, and the
 * notes say what it was.
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
  // Cells of a sweep that was started again stay with it.
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
  // What stops it is told before anything is deleted.
  freedBy(inventory, removal, grace)
  const removed = await removeRecords(store, removal, confirm)
  const gone = removal.runs.filter(({ id }) => removed.runs.includes(id))
  const rest = without(inventory, gone)
  const found = freedBy(inventory, { ...removal, runs: gone }, grace)
  const freed =
    found.unknown.length > 0
      ? nothing
      : await deleteGarbage(store, rest, grace, { scope: removal.scope, confirm })
  await dropNotes(store, new Set(removal.notes.keys()))
  return { ...removed, freed: { ...found, now: freed } }
}

/**
 * Answers whether it is gone. Its record is deleted last; one that was written anew stays, with
 * what else is there.
 */
async function deleteFolder(
  store: ObjectStore,
  folder: string,
  record: string,
  written: number | undefined,
): Promise<boolean> {
  const objects = await store.list(folder)
  const now = writtenAt(objects, record)
  if (now !== undefined && now !== written) return false
  for (const { path } of objects) if (path !== record) await store.delete(path)
  await store.delete(record)
  return true
}
