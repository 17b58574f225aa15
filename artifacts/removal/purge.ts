import { digestOf } from '../../common/canonical.ts'
import { chunks, mapConcurrently } from '../../common/concurrency.ts'
import { UserError } from '../../common/errors.ts'
import { ledgerOfRun, type LedgerRecord } from '../../experiment/ledger/ledger.ts'
import { stateAfter } from '../../experiment/ledger/state.ts'
import type { BlobRef } from '../../experiment/records/manifest.ts'
import { notPurged, type Purge, type PurgedObject } from '../../experiment/records/purge.ts'
import type { StageKind } from '../../experiment/stages/stage.ts'
import type { Artifacts } from '../artifacts.ts'
import { outcomesPath } from '../format/layout.ts'
import type { ObjectStore, StoredObject } from '../store/object-store.ts'
import { putPurge, readPurge, type StoredRequest } from '../stored-ledgers.ts'
import { refuseUnreadable } from './gc.ts'
import { blobDigest, stageFolderOf, type Inventory } from './inventory.ts'
import { refuseUnknown } from './stored-runs.ts'

/** A ledger with its requests and the store that it is in. */
export interface PurgeTask {
  readonly ledger: LedgerRecord
  readonly requests: readonly StoredRequest[]
  readonly inventory: Inventory
}

export interface PurgePlan {
  /** The record as it is written after the deletion. */
  readonly record: Purge
  /** The blobs that are deleted. The store may lack some of them already. */
  readonly blobs: readonly BlobRef[]
  /** The states of unfinished stages, and the outcomes in reports. They are deleted. */
  readonly others: readonly StoredObject[]
}

/**
 * Plans the deletion of all blobs that the steps of a ledger have read or made. These contain
 * forgotten samples, or may have been computed from them. The outcomes in the reports of the steps,
 * which have a margin of each forgotten sample, are deleted, too. The model in use stays, and so
 * does each blob that another run or another ledger needs. The record also lists those blobs that
 * were gone before, so that an interrupted purge that is repeated has the same record. Writes
 * nothing. Throws a UserError if a request is open, if none is fulfilled, or if the needs of a run
 * are unknown.
 */
export async function planPurge(artifacts: Artifacts, task: PurgeTask): Promise<PurgePlan> {
  const { ledger, requests, inventory } = task
  const { store } = artifacts
  const settled = settledRequests(ledger, requests)
  const fulfilled = settled.filter(({ record }) => record.state === 'fulfilled')
  const last = fulfilled.at(-1)?.record
  if (!last)
    throw new UserError(
      `no request of the ledger ${ledger.name} is fulfilled, so that there is nothing to purge`,
    )
  refuseUnknown(store, inventory.runs)
  refuseUnreadable(
    inventory,
    [...inventory.runs.values()].flatMap(({ stages }) => [...(stages ?? [])]),
  )

  const steps = stepsOf(task)
  const folders = new Set(steps.flatMap((id) => [...(inventory.runs.get(id)?.stages ?? [])]))
  const users = usersIn(inventory, ledger.name, new Set(steps))
  const model = stateAfter(settled).model
  const present = new Set(inventory.objects.flatMap((object) => blobDigest(object) ?? []))
  const made = await blobsOf(artifacts, [...folders].sort(), settled)
  const kept = made
    .filter(({ sha256 }) => present.has(sha256) && (sha256 === model?.sha256 || users.has(sha256)))
    .map((blob) => ({
      ...blob,
      inUse: blob.sha256 === model?.sha256,
      neededBy: [...(users.get(blob.sha256) ?? [])].sort(),
    }))
  const blobs = made.filter(({ sha256 }) => sha256 !== model?.sha256 && !users.has(sha256))
  const states = inventory.objects.filter(({ path }) => {
    const folder = stageFolderOf(path)
    return folders.has(folder) && !users.has(folder) && path.startsWith(`${folder}checkpoints/`)
  })
  const outcomes = steps.flatMap((id) =>
    (inventory.runs.get(id)?.objects ?? []).filter(({ path }) => path === outcomesPath(id)),
  )
  const unfinished = await hashed(store, states, 'unfinished')
  const judged = await hashed(store, outcomes, 'outcomes')
  const before = await readPurge(artifacts, ledger.name, last.number)
  const gone = (before?.deleted ?? []).filter(({ sha256 }) => !present.has(sha256))
  return {
    record: {
      format: 1,
      ledger: { name: ledger.name, digest: ledger.digest },
      number: last.number,
      record: digestOf(last),
      requests: fulfilled.map(({ record }) => record.number),
      deleted: bySha256([...gone, ...unfinished, ...judged, ...blobs]),
      kept: bySha256(kept),
      notDeleted: [...notPurged],
    },
    blobs,
    others: [...states, ...outcomes],
  }
}

/** Deletes what was planned, in the store and in this machine's cache, and writes the record. */
export async function purge(
  artifacts: Artifacts,
  { record, blobs, others }: PurgePlan,
  confirm: () => void,
): Promise<void> {
  for (const some of chunks(blobs, 32)) {
    confirm()
    await mapConcurrently(some, (blob) => artifacts.deleteBlob(blob))
  }
  confirm()
  await mapConcurrently(others, ({ path }) => artifacts.store.delete(path))
  await putPurge(artifacts, record)
}

/** The digests and sizes of objects that are no blobs. Those that are gone by now are left out. */
async function hashed(
  store: ObjectStore,
  objects: readonly StoredObject[],
  kind: string,
): Promise<readonly PurgedObject[]> {
  const found = await mapConcurrently(objects, async ({ path }) => {
    const object = await store.getHashed(path)
    return object ? [{ sha256: object.sha256, bytes: object.bytes.length, kind }] : []
  })
  return found.flat()
}

function settledRequests({ name, config }: LedgerRecord, requests: readonly StoredRequest[]) {
  return requests.map(({ request, record }) => {
    if (record) return { request, record }
    throw new UserError(
      `request ${request.number} of the ledger ${name} is not settled, and its steps need the data. First let it be ` +
        `settled: ./zeroshift forget ${config} --queued`,
    )
  })
}

/**
 * The runs of the steps: those that the records name, and those that were planned before a change
 * of the code. A run of the same name that a user has started counts only if a record names it.
 */
export function stepsOf({ ledger, requests, inventory }: PurgeTask): readonly string[] {
  const named = new Set(requests.flatMap(({ record }) => record?.attempts.map(({ run }) => run) ?? []))
  return [...inventory.runs.values()]
    .filter(({ id, isOwn }) => named.has(id) || (!isOwn && ledgerOfRun(id, [ledger.name]) !== undefined))
    .map(({ id }) => id)
}

/** Other runs and ledgers, by the folders of the stages and the SHA-256s of the blobs they need. */
function usersIn(
  { runs, manifests, ledgers = new Map() }: Inventory,
  name: string,
  steps: ReadonlySet<string>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const users = new Map<string, Set<string>>()
  const add = (needed: Iterable<string>, user: string) => {
    for (const one of needed) users.set(one, (users.get(one) ?? new Set()).add(user))
  }
  const others = [...ledgers.keys()].filter((ledger) => ledger !== name)
  for (const { id, stages = new Set<string>(), attachments } of runs.values()) {
    if (steps.has(id)) continue
    const ledger = ledgerOfRun(id, others)
    const made = [...stages].flatMap((folder) => [...(manifests.get(folder) ?? [])])
    add([...stages, ...made, ...attachments], ledger === undefined ? `run ${id}` : `ledger ${ledger}`)
  }
  for (const ledger of others) add(ledgers.get(ledger)?.models ?? [], `ledger ${ledger}`)
  return users
}

/** The blobs that manifests and records name, each once, with the kind of the stage. */
async function blobsOf(
  artifacts: Artifacts,
  folders: readonly string[],
  settled: ReturnType<typeof settledRequests>,
): Promise<readonly PurgedObject[]> {
  const made = await mapConcurrently(folders, async (folder) => {
    const [, kind = '', key = ''] = folder.split('/')
    const manifest = await artifacts.manifest({ kind: kind as StageKind, key })
    return Object.values<BlobRef>(manifest?.outputs ?? {}).map((blob) => ({ ...blob, kind }))
  })
  const models = settled.flatMap(({ record: { model } }) => [model.before, model.after])
  return bySha256([...models.map((blob) => ({ ...blob, kind: 'model' })), ...made.flat()])
}

/** Sorts objects and leaves each of them once. The last one of the same digest stays. */
function bySha256<T extends PurgedObject>(objects: readonly T[]): T[] {
  return [...new Map(objects.map((object) => [object.sha256, object])).values()].sort((a, b) =>
    a.sha256 < b.sha256 ? -1 : 1,
  )
}
