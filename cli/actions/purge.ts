import type { Artifacts } from '../../artifacts/artifacts.ts'
import { purgePath } from '../../artifacts/format/layout.ts'
import { busyRuns } from '../../artifacts/removal/busy-runs.ts'
import { takeInventory } from '../../artifacts/removal/inventory.ts'
import {
  planPurge,
  purge as deletePlanned,
  stepsOf,
  type PurgePlan,
  type PurgeTask,
} from '../../artifacts/removal/purge.ts'
import { storeClock } from '../../artifacts/store/store-clock.ts'
import { readRequests } from '../../artifacts/stored-ledgers.ts'
import { size } from '../../common/size.ts'
import { UserError } from '../../common/errors.ts'
import type { LedgerRecord } from '../../experiment/ledger/ledger.ts'
import type { Purge, PurgedObject } from '../../experiment/records/purge.ts'
import { refuseUnusableStore } from '../launch/usable-store.ts'
import { counted } from '../output/format.ts'
import { coloursOf, columns, pathOrUrl, print, printJson } from '../output/print.ts'
import { namedLedger } from '../launch/named-ledger.ts'
import { withDeletionLock } from '../workspace/store-deletion.ts'

interface PurgeOptions {
  readonly dryRun?: true
  readonly json?: true
  readonly store?: string
}

/**
 * `zeroshift purge LEDGER`: deletes the data and the results of its steps from the store, except
 * the model in use and what others need. Writes a record of that.
 */
export async function purge(word: string, options: PurgeOptions): Promise<number> {
  const { artifacts, record: ledger } = await namedLedger(word, options.store)
  const { store } = artifacts
  const isDryRun = options.dryRun ?? false
  const { record } = isDryRun
    ? await planPurge(artifacts, await taskOf(artifacts, ledger))
    : await purged(artifacts, ledger)
  const path = store.locate(purgePath(ledger.name, record.number))
  if (options.json) printJson({ store: store.url, dryRun: isDryRun, path, ...record })
  else for (const line of linesOf(record, { isDryRun, store: store.url, path })) print(line)
  return 0
}

async function purged(artifacts: Artifacts, ledger: LedgerRecord): Promise<PurgePlan> {
  const { store } = artifacts
  // All refusals come before the lock is written.
  await planPurge(artifacts, await taskOf(artifacts, ledger))
  await refuseUnusableStore(store.url)
  return withDeletionLock(store, `purge ${ledger.name}`, async (confirm) => {
    const task = await taskOf(artifacts, ledger, await storeClock(store))
    refuseBusy(task)
    const plan = await planPurge(artifacts, task)
    await deletePlanned(artifacts, plan, confirm)
    return plan
  })
}

/** Reads the inventory of a store and the requests of a ledger. `now` is by the store's clock. */
async function taskOf(artifacts: Artifacts, ledger: LedgerRecord, now?: number): Promise<PurgeTask> {
  const inventory = await takeInventory(artifacts.store, now)
  return { ledger, inventory, requests: await readRequests(artifacts, ledger.name) }
}

/** Refuses to delete what a step reads at the moment. Throws a UserError. */
function refuseBusy(task: PurgeTask): void {
  const busy = busyRuns(task.inventory)
  for (const id of stepsOf(task)) {
    const stage = busy.get(id)
    if (stage !== undefined)
      throw new UserError(
        `${stage}, which ${id} needs, is being computed: it has a lease that is alive. Purge the ledger ${task.ledger.name} when that has ended`,
      )
  }
}

interface Shown {
  readonly isDryRun: boolean
  readonly store: string
  readonly path: string
}

function linesOf(
  { ledger, requests, deleted, kept, notDeleted }: Purge,
  { isDryRun, store, path }: Shown,
): readonly string[] {
  const { yellow } = coloursOf(process.stdout)
  const objects = `${counted(deleted.length, 'object')}, ${size(bytesOf(deleted))}`
  const done = isDryRun ? 'To be deleted from' : 'Deleted from'
  const shared = kept.filter(({ neededBy }) => neededBy.length > 0)
  return [
    `${done} ${pathOrUrl(store)} for ${counted(requests.length, 'fulfilled request')} of ${ledger.name}: ${objects}`,
    ...(deleted.length > 0 ? ['', columns([['KIND', 'OBJECTS', 'SIZE'], ...kindRows(deleted)])] : []),
    '',
    ...kept.flatMap(({ inUse, sha256 }) => (inUse ? [`The model in use stays: ${sha256}`] : [])),
    ...shared.map(({ sha256, kind, neededBy }) =>
      yellow(`${kind} ${sha256} stays, because others need it: ${neededBy.join(', ')}`),
    ),
    '`purge` does not reach these:',
    ...notDeleted.map((what) => `- ${what}`),
    ...(isDryRun ? [] : [`Record: ${pathOrUrl(path)}`]),
  ]
}

/** The number and the size of the objects of each kind. */
function kindRows(objects: readonly PurgedObject[]): readonly (readonly string[])[] {
  return [...new Set(objects.map(({ kind }) => kind))].sort().map((kind) => {
    const some = objects.filter((object) => object.kind === kind)
    return [kind, String(some.length), size(bytesOf(some))]
  })
}

function bytesOf(objects: readonly PurgedObject[]): number {
  return objects.reduce((sum, { bytes }) => sum + bytes, 0)
}
