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
import { size } from '../../common/size.ts'
import { UserError } from '../../common/errors.ts'
import { quoted } from '../../report/command.ts'
import { withDeletionLock } from '../workspace/store-deletion.ts'
import { refuseNonDirectory } from '../workspace/existing-store.ts'
import { idsIn } from '../workspace/named-run.ts'
import { counted, dateText } from '../output/format.ts'
import { bytesOf, objectsOf, summaryOf } from '../output/garbage-table.ts'
import { withWorkflows, type Workflows } from '../server/open-workflows.ts'
import { graceOf } from '../options/period.ts'
import { storeFor } from '../workspace/workspace.ts'
import { coloursOf, columns, print, printJson, pathOrUrl } from '../output/print.ts'
import { refuseUnusableStore } from '../launch/usable-store.ts'

interface RmOptions {
  readonly delete?: true
  readonly cells?: true
  readonly grace: string
  readonly json?: true
  readonly store?: string
  readonly temporal?: string
}

/** The runs and sweeps that are to be removed, or were removed. */
interface RemovalResult {
  readonly removal: Removal
  readonly freed: Freed
  /** The ids that are being computed, each with the evidence for it. */
  readonly busy: ReadonlyMap<string, string>
  /** The bytes of the store before the removal. */
  readonly before: number
  /** Absent in a preview. */
  readonly removed?: RemovedRecords
}

/**
 * `zeroshift rm ID...`: lists what is removed with these runs and sweeps. Removes it with
 * `--delete`.
 */
export async function rm(words: readonly string[], options: RmOptions): Promise<number> {
  const grace = graceOf(options.grace)
  const cells = options.cells ?? false
  const url = storeFor(options.store)
  await refuseNonDirectory(url, { mayBeMissing: false })
  const store = openStore(url)
  const ids = await idsIn(store, words)
  await refuseIds(store, ids, cells)
  if (options.delete) await refuseUnusableStore(url)
  const result = await withWorkflows(url, options.temporal, (workflows) =>
    options.delete
      ? withDeletionLock(store, `rm ${ids.join(' ')} --delete`, (confirm) =>
          removed(store, ids, { grace, workflows, confirm, cells }),
        )
      : previewed(store, ids, { grace, workflows, cells }),
  )
  if (options.json) printJson(jsonOf(url, result))
  else for (const line of reportLines(url, result, ids, options)) print(line)
  return 0
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

interface RemovalOptions {
  readonly grace: number
  readonly cells: boolean
  readonly workflows: Workflows
}

/** Returns what would be removed, without writing anything. */
async function previewed(
  store: ObjectStore,
  ids: readonly string[],
  how: RemovalOptions,
): Promise<RemovalResult> {
  const { inventory, removal, busy } = await planned(store, ids, how)
  return { removal, freed: freedBy(inventory, removal, how.grace), busy, before: usageOf(inventory).bytes }
}

async function removed(
  store: ObjectStore,
  ids: readonly string[],
  how: RemovalOptions & { readonly confirm: () => void },
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
  { cells, workflows }: RemovalOptions,
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

/**
 * The bytes of the store after the removal. In a preview these are the bytes after everything that
 * nothing else needs has gone.
 */
function bytesAfter({ removal, freed, before, removed }: RemovalResult): number {
  const isGone = ({ id }: { readonly id: string }) =>
    removed === undefined || removed.runs.includes(id) || removed.sweeps.includes(id)
  const records = [...removal.runs, ...removal.sweeps].filter(isGone).flatMap(({ objects }) => objects)
  const parts = [...objectsOf(freed.now), ...(removed ? [] : objectsOf(freed.later))]
  return before - bytesOf(records) - bytesOf(parts)
}

function jsonOf(store: string, result: RemovalResult): object {
  const { removal, freed, busy, removed } = result
  const { sweeps, runs, staying } = removal
  const unit = ({ id, name, date }: Removal['runs'][number] | Removal['sweeps'][number]) => ({
    ...{ id, name, date: new Date(date).toISOString() },
  })
  const gone =
    (kind: 'sweeps' | 'runs') =>
    ({ id }: { readonly id: string }) =>
      removed === undefined || removed[kind].includes(id)
  return {
    ...{ store, deleted: removed !== undefined },
    bytes: { before: result.before, after: bytesAfter(result) },
    sweeps: sweeps.filter(gone('sweeps')).map(unit),
    runs: runs.filter(gone('runs')).map(unit),
    ...{ staying, restarted: removed?.restarted ?? [], busy: [...busy.keys()] },
    ...{ freed: summaryOf(freed.now), later: summaryOf(freed.later) },
    shared: { stages: freed.shared.stages, bytes: bytesOf(freed.shared.objects), runs: freed.shared.runs },
    unknownRuns: freed.unknown.map(({ id }) => `runs/${id}`),
  }
}

function reportLines(
  store: string,
  result: RemovalResult,
  ids: readonly string[],
  options: RmOptions,
): readonly string[] {
  const { removal, freed, busy, removed, before } = result
  const { yellow } = coloursOf(process.stdout)
  const { sweeps, runs, staying } = removal
  const rows = [
    ...sweeps.map((sweep) => ({ ...sweep, kind: 'sweep' })),
    ...runs.map((run) => ({ ...run, kind: 'run' })),
  ].map(({ kind, id, name, date }) => [id, kind, name, dateText(date)])
  const left = sweeps.flatMap(({ id, runs }) =>
    !options.cells && runs && runs.size > 0
      ? [`The ${counted(runs.size, 'run')} of the cells of ${id} stay; --cells takes them along.`]
      : [],
  )
  const kept = [
    ...staying,
    ...(removed?.restarted ?? []).map((id) => ({ id, why: 'it was started again in the meantime' })),
  ]
  return [
    `${removed ? 'Removed from' : 'To be removed from'} ${pathOrUrl(store)}:`,
    ...(rows.length > 0
      ? [columns([['ID', 'WHAT', 'NAME', 'DATE'], ...rows])]
      : ['No record: a removal that was interrupted is finished.']),
    ...left,
    ...kept.map(({ id, why }) => yellow(`${id} stays: ${why}.`)),
    ...(removed ? freedLines(freed, options) : costLines(freed, options)),
    removed
      ? `The store has ${size(bytesAfter(result))} now, ${size(before)} before.`
      : `The store has ${size(before)}, and ${size(bytesAfter(result))} without all of this.`,
    ...sharedLines(freed),
    ...freed.unknown.map(({ id }) =>
      yellow(
        `What runs/${id} needs is unknown, so no stage and no blob is freed as long as it is there: ./zeroshift gc says more.`,
      ),
    ),
    ...(removed
      ? []
      : [
          ...[...busy].map(([id, why]) => yellow(`${id} is being computed (${why}): --delete would refuse.`)),
          '',
          `To remove it: ./zeroshift rm ${ids.map(quoted).join(' ')} --delete${repeatedOptions(options)}`,
        ]),
  ]
}

/**
 * A preview knows the current time only from the dates of objects, so it cannot tell which objects
 * are old enough.
 */
function costLines({ now, later }: Freed, { grace }: RmOptions): readonly string[] {
  const objects = [...objectsOf(now), ...objectsOf(later)]
  const stages = counted(now.stages.length + later.stages.length, 'stage')
  const blobs = counted(now.blobs.length + later.blobs.length, 'blob')
  const young = `What is younger than ${grace} is freed by a later \`./zeroshift gc --delete\`.`
  return objects.length === 0
    ? ['No stage and no blob is freed: none is needed by this alone.']
    : [`Needed by nothing else: ${stages} and ${blobs}, ${size(bytesOf(objects))}. ${young}`]
}

function freedLines({ now, later }: Freed, { grace }: RmOptions): readonly string[] {
  const summary = (of: Freed['now']) =>
    `${counted(of.stages.length, 'stage')} and ${counted(of.blobs.length, 'blob')}, ${size(bytesOf(objectsOf(of)))}`
  return [
    `Freed: ${summary(now)}.`,
    ...(objectsOf(later).length > 0
      ? [`Younger than ${grace}, and freed by a later \`./zeroshift gc --delete\`: ${summary(later)}.`]
      : []),
  ]
}

const MOST_NAMED = 5

function sharedLines({ shared: { stages, objects, runs } }: Freed): readonly string[] {
  if (stages === 0) return []
  const more = runs.length > MOST_NAMED ? ` and ${runs.length - MOST_NAMED} more` : ''
  const which = `${runs.slice(0, MOST_NAMED).join(', ')}${more}`
  return [
    `Shared with other runs, and kept: ${counted(stages, 'stage')}, ${size(bytesOf(objects))} (${which}).`,
  ]
}

/** Returns the options that give the next command the same meaning. */
function repeatedOptions({ cells, grace, store, temporal }: RmOptions): string {
  return [
    ...(cells ? [' --cells'] : []),
    ...(grace === '24h' ? [] : [` --grace ${grace}`]),
    ...(store === undefined ? [] : [` --store ${quoted(store)}`]),
    ...(temporal === undefined ? [] : [` --temporal ${quoted(temporal)}`]),
  ].join('')
}
