import { openStore } from '../../artifacts/store/open-store.ts'
import type { ObjectStore } from '../../artifacts/store/object-store.ts'
import { busyRuns } from '../../artifacts/removal/busy-runs.ts'
import { takeInventory, type Inventory } from '../../artifacts/removal/inventory.ts'
import { readNotes } from '../../artifacts/removal/removal-notes.ts'
import { freedBy, planRemoval, type Freed, type Removal } from '../../artifacts/removal/plan-removal.ts'
import { remove, type RemovedRecords } from '../../artifacts/removal/remove.ts'
import { storeClock } from '../../artifacts/store/store-clock.ts'
import { usageOf } from '../../artifacts/removal/usage.ts'
import { readLedgers } from '../../artifacts/removal/stored-ledgers.ts'
import { readRuns, readSweeps } from '../../artifacts/removal/stored-runs.ts'
import { UserError } from '../../common/errors.ts'
import { refuseUnusableStore } from '../launch/usable-store.ts'
import { withDeletionLock } from '../workspace/store-deletion.ts'
import { withWorkflows, type Workflows } from './open-workflows.ts'

/** The runs and sweeps to remove from a store. */
export interface RemovalRequest {
  readonly ids: readonly string[]
  /** Whether the cells of the sweeps are removed as well. */
  readonly cells: boolean
  /** The grace period in milliseconds. */
  readonly grace: number
  /** The Temporal server that may have open workflows of the runs. */
  readonly temporal: string | undefined
}

/** The runs and sweeps that are to be removed, or were removed. */
export interface RemovalResult {
  readonly removal: Removal
  readonly freed: Freed
  /** The ids that are being computed, each with the evidence for it. */
  readonly busy: ReadonlyMap<string, string>
  /** The bytes of the store before the removal. */
  readonly before: number
  /** Absent in a preview. */
  readonly removed?: RemovedRecords
}

/** Returns what `removeFrom` would remove. Throws a UserError for unknown ids. */
export async function previewRemoval(url: string, request: RemovalRequest): Promise<RemovalResult> {
  const store = openStore(url)
  const { ids, grace, cells, temporal } = request
  await refuseIds(store, ids, cells)
  return withWorkflows(url, temporal, (workflows) => previewed(store, ids, { grace, workflows, cells }))
}

/**
 * Removes runs and sweeps with the stages and blobs that only they need. Throws a UserError for
 * unknown ids and for runs that are being computed.
 */
export async function removeFrom(url: string, request: RemovalRequest): Promise<RemovalResult> {
  const store = openStore(url)
  const { ids, grace, cells, temporal } = request
  await refuseIds(store, ids, cells)
  await refuseUnusableStore(url)
  return withWorkflows(url, temporal, (workflows) =>
    withDeletionLock(store, `rm ${ids.join(' ')} --delete`, (confirm) =>
      removed(store, ids, { grace, workflows, confirm, cells }),
    ),
  )
}

interface Planned {
  readonly grace: number
  readonly cells: boolean
  readonly workflows: Workflows
}

/** Refuses unknown ids before anything is written or started. Throws a UserError. */
async function refuseIds(store: ObjectStore, ids: readonly string[], cells: boolean): Promise<void> {
  const [runs, sweeps, ledgers, notes] = await Promise.all([
    readRuns(store),
    readSweeps(store),
    readLedgers(store),
    readNotes(store),
  ])
  planRemoval({ now: 0, objects: [], manifests: new Map(), runs, sweeps, ledgers }, ids, { cells, notes })
}

/** Returns what would be removed, without writing anything. */
async function previewed(store: ObjectStore, ids: readonly string[], how: Planned): Promise<RemovalResult> {
  const { inventory, removal, busy } = await planned(store, ids, how)
  return { removal, freed: freedBy(inventory, removal, how.grace), busy, before: usageOf(inventory).bytes }
}

async function removed(
  store: ObjectStore,
  ids: readonly string[],
  how: Planned & { readonly confirm: () => void },
): Promise<RemovalResult> {
  const { inventory, removal, busy } = await planned(store, ids, how, await storeClock(store))
  if (busy.size > 0)
    throw new UserError(
      [...busy].map(([id, why]) => ({
        message: `${id} is being computed (${why}). Remove it when that has ended, or end it: ./zeroshift cancel ${id}`,
      })),
    )
  await how.workflows.end(idsOf(removal))
  const { freed, ...records } = await remove(store, inventory, removal, how)
  return { removal, freed, busy, before: usageOf(inventory).bytes, removed: records }
}

async function planned(
  store: ObjectStore,
  ids: readonly string[],
  { cells, workflows }: Planned,
  now?: number,
): Promise<{
  readonly inventory: Inventory
  readonly removal: Removal
  readonly busy: RemovalResult['busy']
}> {
  const inventory = await takeInventory(store, now)
  const removal = planRemoval(inventory, ids, { cells, notes: await readNotes(store) })
  const leased = busyRuns(inventory)
  const open = await workflows.open(idsOf(removal))
  const busy = new Map<string, string>()
  for (const { id, runs } of [
    ...removal.sweeps,
    ...removal.runs.map(({ id }) => ({ id, runs: new Set([id]) })),
  ]) {
    const [stage] = [...(runs ?? [])].flatMap((run) => leased.get(run) ?? [])
    if (stage !== undefined)
      busy.set(id, `${stage} has a lease that is alive; another run may share that stage`)
  }
  for (const id of idsOf(removal)) if (open.has(id)) busy.set(id, 'its workflow is open')
  return { inventory, removal, busy }
}

function idsOf({ sweeps, runs }: Removal): readonly string[] {
  return [...sweeps, ...runs].map(({ id }) => id)
}
