import { size } from '../../common/size.ts'
import { openStore } from '../../artifacts/store/open-store.ts'
import type { ObjectStore } from '../../artifacts/store/object-store.ts'
import { busyRuns } from '../../artifacts/removal/busy-runs.ts'
import { deleteGarbage, garbage, type Garbage } from '../../artifacts/removal/gc.ts'
import { takeInventory, type Inventory } from '../../artifacts/removal/inventory.ts'
import { removalOf, withoutRuns } from '../../artifacts/removal/plan-removal.ts'
import { removeRecords } from '../../artifacts/removal/remove.ts'
import { expired, type Expired, type Retention, type Unit } from '../../artifacts/removal/retention.ts'
import { storeClock } from '../../artifacts/store/store-clock.ts'
import { refuseUnknown, unknownRuns, whyUnknown } from '../../artifacts/removal/stored-runs.ts'
import { quoted } from '../../report/command.ts'
import { withDeletionLock } from '../workspace/store-deletion.ts'
import { counted, dateText } from '../output/format.ts'
import { bytesOf, garbageTable, kindsOf, objectsOf, summaryOf } from '../output/garbage-table.ts'
import { refuseNonDirectory } from '../workspace/existing-store.ts'
import type { Workflows } from '../server/open-workflows.ts'
import { graceOf, periodOf } from '../options/period.ts'
import { storeFor } from '../workspace/workspace.ts'
import { coloursOf, columns, print, printJson, pathOrUrl } from '../output/print.ts'
import { refuseUnusableStore } from '../launch/usable-store.ts'
import { wholeNumber } from '../options/whole-number.ts'

interface GcOptions {
  readonly delete?: true
  readonly grace: string
  readonly keepLast?: string
  readonly keepWithin?: string
  readonly json?: true
  readonly store?: string
  readonly temporal?: string
}

/** Everything that was found, or deleted. */
interface Collected {
  readonly inventory: Inventory
  readonly found: Garbage
  /** Objects that are unused as well but younger than the grace period. Absent after a deletion. */
  readonly younger?: Garbage
  /** The runs that the retention rules remove. Absent without such rules. */
  readonly gone?: Expired
  /**
   * The ids that no rule keeps but that stay, since they are computed now or were started again.
   */
  readonly busy: readonly string[]
}

/**
 * `zeroshift gc`: lists everything that no run refers to, and the runs that the retention rules
 * remove. Deletes both with `--delete`.
 */
export async function gc(options: GcOptions): Promise<number> {
  const grace = graceOf(options.grace)
  const retention = retentionOf(options)
  const url = storeFor(options.store)
  await refuseNonDirectory(url, { mayBeMissing: false })
  const store = openStore(url)
  if (options.delete) await refuseUnusableStore(url)
  const collect = (workflows?: Workflows) =>
    options.delete
      ? withDeletionLock(store, 'gc --delete', (confirm) =>
          deleted(store, { grace, retention, workflows, confirm }),
        )
      : previewed(store, { grace, retention, workflows })
  // Only runs have workflows, and without retention rules no run is removed.
  const collected = retention
    ? await (await import('../server/open-workflows.ts')).withWorkflows(url, options.temporal, collect)
    : await collect()
  if (options.json) printJson(jsonOf(url, collected, options))
  else for (const line of reportLines(store, collected, options)) print(line)
  return 0
}

interface CollectOptions {
  readonly grace: number
  readonly retention: Retention | undefined
  readonly workflows: Workflows | undefined
}

/** Lists the garbage without writing anything. */
async function previewed(
  store: ObjectStore,
  { grace, retention, workflows }: CollectOptions,
): Promise<Collected> {
  const inventory = await takeInventory(store)
  const { gone, busy } = await expiredIn(inventory, retention, workflows)
  const rest = withoutRuns(inventory, removalOf(inventory, { sweeps: [], runs: gone?.runs ?? [] }).runs)
  const found = garbage(rest, grace)
  const old = new Set(objectsOf(found).map(({ path }) => path))
  const all = garbage(rest, -Infinity)
  const isYoung = ({ path }: { readonly path: string }) => !old.has(path)
  const younger = {
    ...{ checkpoints: [], leases: [], probes: [], removals: [] },
    stages: all.stages.filter(({ objects }) => objects.some(isYoung)),
    blobs: all.blobs.filter(isYoung),
  }
  return { inventory, found, younger, busy, ...(gone && { gone }) }
}

async function deleted(
  store: ObjectStore,
  { grace, retention, workflows, confirm }: CollectOptions & { readonly confirm: () => void },
): Promise<Collected> {
  const inventory = await takeInventory(store, await storeClock(store))
  // Refuses before any run is removed.
  refuseUnknown(store, inventory.runs)
  garbage(inventory, grace)
  const { gone, busy } = await expiredIn(inventory, retention, workflows)
  if (!gone || !workflows)
    return { inventory, found: await deleteGarbage(store, inventory, grace, { confirm }), busy }
  const sweeps = gone.units.filter(({ kind }) => kind === 'sweep').map(({ id }) => id)
  const removal = removalOf(inventory, { sweeps, runs: gone.runs })
  await workflows.end([...sweeps, ...gone.runs])
  const removed = await removeRecords(store, removal, confirm)
  const left = new Set(removed.restarted)
  const rest = withoutRuns(
    inventory,
    removal.runs.filter(({ id }) => removed.runs.includes(id)),
  )
  return {
    inventory,
    found: await deleteGarbage(store, rest, grace, { confirm }),
    gone: { units: gone.units.filter(({ id }) => !left.has(id)), runs: removed.runs },
    busy: [...busy, ...removed.restarted],
  }
}

/**
 * Returns the runs that the retention rules remove, and those that stay since they are being
 * computed: a stage has a lease, or the workflow is open.
 */
async function expiredIn(
  inventory: Inventory,
  retention: Retention | undefined,
  workflows: Workflows | undefined,
): Promise<{ readonly gone?: Expired; readonly busy: readonly string[] }> {
  if (!retention || !workflows) return { busy: [] }
  const all = expired(inventory, retention, () => false)
  const leased = busyRuns(inventory)
  const open = await workflows.open([...new Set([...all.units.map(({ id }) => id), ...all.runs])])
  const isBusy = (id: string) => leased.has(id) || open.has(id)
  return {
    gone: expired(inventory, retention, isBusy),
    busy: all.units.filter(({ id, runs }) => [id, ...runs].some(isBusy)).map(({ id }) => id),
  }
}

/** Returns undefined if no run is to be removed. Throws a UserError. */
function retentionOf({ keepLast, keepWithin }: GcOptions): Retention | undefined {
  if (keepLast === undefined && keepWithin === undefined) return undefined
  return {
    ...(keepLast !== undefined && { last: wholeNumber('--keep-last', keepLast) }),
    ...(keepWithin !== undefined && { within: periodOf('--keep-within', keepWithin) }),
  }
}

function jsonOf(
  store: string,
  { inventory, found, younger, gone, busy }: Collected,
  options: GcOptions,
): object {
  const damaged = [...inventory.runs.values()].filter(({ flaw }) => flaw !== undefined)
  return {
    store,
    deleted: options.delete ?? false,
    runs: inventory.runs.size - damaged.length,
    damagedRuns: damaged.map(({ id }) => `runs/${id}`),
    unknownRuns: unknownRuns(inventory.runs).map(({ id }) => `runs/${id}`),
    bytes: bytesOf(objectsOf(found)),
    garbage: Object.fromEntries(
      kindsOf(found).map(({ name, objects }) => [name, objects.map(({ path }) => path)]),
    ),
    ...(younger && { younger: summaryOf(younger) }),
    ...(gone && {
      expired: gone.units.map((unit) => ({ ...unit, date: new Date(unit.date).toISOString() })),
      removedRuns: gone.runs,
      busy,
    }),
  }
}

function reportLines(
  store: ObjectStore,
  { inventory, found, younger, gone, busy }: Collected,
  options: GcOptions,
): readonly string[] {
  const { bold, yellow } = coloursOf(process.stdout)
  const isDeleted = options.delete ?? false
  const damaged = [...inventory.runs.values()].filter(({ flaw }) => flaw !== undefined)
  const where = `${pathOrUrl(store.url)} (${counted(inventory.runs.size - damaged.length, 'run')})`
  const table = garbageTable(found, bold)
  const isAnything = table !== undefined || (gone?.units.length ?? 0) > 0
  const isKnown = unknownRuns(inventory.runs).length === 0
  const what = isKnown ? 'Unused in' : 'Unused, as far as is known, in'
  return [
    ...expiredLines(gone, busy, options),
    ...(table === undefined
      ? [`Nothing older than ${options.grace} is unused in ${where}.`]
      : [`${isDeleted ? 'Deleted from' : what} ${where}:`, table]),
    ...youngerLines(younger, inventory, options),
    ...damaged.map((run) =>
      yellow(
        run.stages
          ? `runs/${run.id} has no run.json that can be used (${run.flaw ?? ''}). The stages that its report lists are kept.`
          : whyUnknown(store, run),
      ),
    ),
    ...(isAnything && isKnown && !isDeleted
      ? ['', `To delete it: ./zeroshift gc --delete${repeatedOptions(options)}`]
      : []),
  ]
}

function expiredLines(
  gone: Expired | undefined,
  busy: readonly string[],
  { delete: isDeleted, ...options }: GcOptions,
): readonly string[] {
  if (!gone) return []
  const { yellow } = coloursOf(process.stdout)
  const kept = [
    ...(options.keepLast === undefined ? [] : [`among the newest ${options.keepLast}`]),
    ...(options.keepWithin === undefined ? [] : [`within ${options.keepWithin} of the newest one`]),
  ].join(' or ')
  const stay = busy.map((id) => yellow(`${id} is being computed, and stays.`))
  if (gone.units.length === 0)
    return [
      `No run is removed: each is ${kept}${busy.length > 0 ? ', or is being computed' : ''}.`,
      ...stay,
      '',
    ]
  return [`${isDeleted ? 'Removed' : 'To be removed'}, not ${kept}:`, unitTable(gone.units), ...stay, '']
}

function unitTable(units: readonly Unit[]): string {
  return columns([
    ['RUN', 'NAME', 'DATE', 'RUNS'],
    ...units.map(({ id, name, date, runs }) => [id, name, dateText(date), String(runs.length)]),
  ])
}

/**
 * A preview takes the date of the newest object for the current time, so that objects may be older
 * than it says.
 */
function youngerLines(
  younger: Garbage | undefined,
  { now }: Inventory,
  { grace }: GcOptions,
): readonly string[] {
  if (!younger || objectsOf(younger).length === 0) return []
  const { stages, blobs } = younger
  return [
    `Unused as well, and written less than ${grace} before the newest object here (${dateText(now)} UTC): ` +
      `${counted(stages.length, 'stage')}, ${counted(blobs.length, 'blob')}, ${size(bytesOf(objectsOf(younger)))}. ` +
      `--delete asks the store for the time, and deletes what is older than ${grace} by then.`,
  ]
}

/** Returns the options that give the next command the same store, grace period and runs. */
function repeatedOptions({ grace, store, keepLast, keepWithin, temporal }: GcOptions): string {
  return [
    ...(keepLast === undefined ? [] : [` --keep-last ${keepLast}`]),
    ...(keepWithin === undefined ? [] : [` --keep-within ${keepWithin}`]),
    ...(grace === '24h' ? [] : [` --grace ${grace}`]),
    ...(store === undefined ? [] : [` --store ${quoted(store)}`]),
    ...(temporal === undefined ? [] : [` --temporal ${quoted(temporal)}`]),
  ].join('')
}
