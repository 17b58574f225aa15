import { UserError } from '../../common/errors.ts'
import { manifestDigest, type BlobRef } from '../../experiment/records/manifest.ts'
import { ArchiveStore, type ArchivedObject } from './archive.ts'
import { Artifacts } from '../artifacts.ts'
import { jsonBytes } from '../../common/json.ts'
import {
  blobPath,
  reportSignatures,
  runFolder,
  stageSignatures,
  sweepFolder,
  sweepReportPath,
  manifestPath,
  ownPath,
  reportPath,
} from '../format/layout.ts'
import { allSettled, batches, chunks } from '../../common/concurrency.ts'
import { readManifest } from '../format/read-manifest.ts'
import {
  readContents,
  type ContainedRun,
  type ContainedStage,
  type ContainedSweep,
  type ContentsOptions,
  type VerifiedObject,
  type StoreContents,
} from './store-contents.ts'
import { allowUndigested, formatBytes, formatPath } from '../format/store-format.ts'
import type { HashedBytes, ObjectStore } from '../store/object-store.ts'
import { flawsOf, planTransfer, type Conflict, type Keep, type TransferPlan } from './transfer-plan.ts'

export interface PlanOptions extends Pick<ContentsOptions, 'ids' | 'reportFlaw'> {
  /** Whose results stand where the stores have different ones of the same stage. They are refused unless given. */
  readonly keep?: Keep
}

/** A copy between two stores that has been decided on. Nothing has been written. */
export interface PlannedCopy {
  readonly from: ObjectStore
  readonly to: ObjectStore
  readonly keep: Keep
  readonly plan: TransferPlan
  readonly target: StoreContents
}

export interface WriteOptions {
  /** Whether all files of reports are copied, or `report.json` of each run alone. */
  readonly pages: boolean
  readonly onProgress?: (progress: CopyProgress) => void
}

export interface CopyProgress {
  readonly objects: { readonly done: number; readonly all: number }
  /** Of blobs. */
  readonly bytes: { readonly done: number; readonly all: number }
}

/** Numbers of objects, and bytes of blobs. */
export interface Copied {
  readonly copied: Counts
  /** In the target before. */
  readonly present: Counts
  /** Part of the source that was left out, or of the target that was deleted, for a conflict. */
  readonly conflict: { readonly stages: readonly string[] } & Pick<Conflict, 'runs' | 'sweeps'>
}

export interface Counts {
  readonly runs: number
  readonly sweeps: number
  readonly stages: number
  readonly signatures: number
  readonly blobs: number
  readonly bytes: number
}

/** The most that is on its way at a time. Blobs that are larger go alone. */
const ON_THE_WAY = { most: 16, bytes: 256e6 }

/**
 * Decides what goes from one store into another: finished stages, runs and sweeps, neither leases nor checkpoints. Judges
 * everything of the source but the contents of blobs. Throws a UserError where the source is damaged, or where the two
 * have different results of the same stages.
 */
export async function planCopy(
  from: ObjectStore,
  to: ObjectStore,
  options: PlanOptions,
): Promise<PlannedCopy> {
  return planFrom(await readIntact(from, options), from, to, options.keep)
}

/**
 * The same for an archive. Throws a UserError where it is damaged, where it holds anything that its own runs and stages do
 * not name, or where the store has different results of the same stages.
 */
export async function planImport(
  archive: ArchiveStore,
  to: ObjectStore,
  { reportFlaw, keep }: PlanOptions,
): Promise<PlannedCopy> {
  const source = await readIntact(archive, { ...(reportFlaw && { reportFlaw }) })
  const named = new Set(objectsIn(archive, source).map(({ path }) => path))
  const surplus = archive.paths().find((path) => !named.has(path))
  if (surplus !== undefined)
    throw new UserError(`${archive.locate(surplus)}: nothing in the archive names it. Nothing was copied`)
  return planFrom(source, archive, to, keep)
}

async function planFrom(
  source: StoreContents,
  from: ObjectStore,
  to: ObjectStore,
  given: Keep | undefined,
): Promise<PlannedCopy> {
  const target = await readTarget(to, source)
  if (!given) refuseConflict(from, to, source, target)
  const keep = given ?? 'target'
  return { from, to, keep, plan: planTransfer(source, target, keep), target }
}

/** What an archive of a store's contents is made of. Pages of reports are rendered anew where it is imported. */
export function objectsIn(from: ObjectStore, contents: StoreContents): readonly ArchivedObject[] {
  const { blobs, stages, runs, sweeps } = planTransfer(contents, emptyContents, 'target')
  const format = formatBytes(undigestedOf(stages))
  const judged = (object: VerifiedObject): ArchivedObject => ({
    ...object,
    read: async () => (await readUnchanged(from, object)).bytes,
  })
  return [
    { path: formatPath, bytes: format.length, read: () => Promise.resolve(format) },
    ...blobs.map((blob) => ({
      ...{ path: blobPath(blob), bytes: blob.bytes },
      read: () => readBlob(from, blob),
    })),
    ...stages
      .flatMap((group) => group.flatMap(({ manifest, signatures }) => [manifest, ...signatures]))
      .map(judged),
    ...runs
      .flatMap(({ record, report }) => [record, ...(report ? [report.json, ...report.signatures] : [])])
      .map(judged),
    ...runs.flatMap(({ id, isOwn }) => (isOwn ? [ownNote(id)] : [])),
    ...sweeps.map(({ record }) => judged(record)),
  ]
}

function ownNote(id: string): ArchivedObject {
  const bytes = jsonBytes({ own: true })
  return { path: ownPath(id), bytes: bytes.length, read: () => Promise.resolve(bytes) }
}

const emptyContents: StoreContents = {
  ...{ stages: new Map(), runs: new Map(), sweeps: new Map(), blobs: new Map(), signedOnly: new Set() },
  flaws: [],
}

/**
 * Writes, in this order: blobs, which are judged on their way; manifests, those of inputs first; records and reports of
 * runs; those of sweeps. Signatures go before the manifest or the report that they sign: without it they are no damage, and
 * what is signed is never there unsigned. So the target is sound whenever this ends, and the next copy goes on from there.
 * Throws a UserError at a damaged blob.
 */
export async function writeCopy(
  { from, to, keep, plan, target }: PlannedCopy,
  { pages, onProgress }: WriteOptions,
): Promise<void> {
  if (keep === 'source') await dropConflict(to, plan.conflict)
  const artifacts = new Artifacts(to)
  const tell = progressReporter(plan, onProgress)
  const each = async <T>(items: readonly T[], work: (item: T) => Promise<unknown>) => {
    for (const some of chunks(items, ON_THE_WAY.most))
      await allSettled(
        some.map((item) =>
          work(item).then(() => {
            tell()
          }),
        ),
      )
  }
  for (const some of batches(plan.blobs, ON_THE_WAY))
    await allSettled(
      some.map((blob) =>
        copyBlob(from, to, blob, target.blobs).then(() => {
          tell(blob.bytes)
        }),
      ),
    )
  await allowUndigested(to, undigestedOf(plan.stages))
  const damaged = new Set(target.flaws.map(({ path }) => path))
  for (const group of plan.stages)
    await each(group, async (stage) => {
      const { ref, signatures, manifest } = stage
      if (target.signedOnly.has(ref.key))
        await artifacts.deleteOtherSignatures(stageSignatures(ref), stage.digest)
      await copyObjects(from, to, signatures)
      await copyManifest(from, artifacts, stage, damaged.has(manifest.path))
    })
  await each(plan.runs, (run) => {
    const there = target.runs.has(run.id) || damaged.has(run.record.path)
    return copyRun(from, artifacts, run, { pages, there })
  })
  await each(plan.signatures, (signature) => copyObjects(from, to, [signature]))
  await each(plan.own, (id) => artifacts.markOwn(id))
  await each(plan.sweeps, (sweep) =>
    copySweep(from, to, sweep, { pages, there: target.sweeps.has(sweep.id) }),
  )
}

/** Keys of the stages whose manifests have no digest of their own. */
function undigestedOf(stages: TransferPlan['stages']): readonly string[] {
  return stages.flat().flatMap(({ ref, hasDigest }) => (hasDigest ? [] : [ref.key]))
}

function progressReporter(
  plan: TransferPlan,
  onProgress: WriteOptions['onProgress'],
): (blob?: number) => void {
  const all = { objects: objectsOf(plan), bytes: sum(plan.blobs) }
  let objects = 0
  let bytes = 0
  return (blob = 0) => {
    objects += 1
    bytes += blob
    onProgress?.({ objects: { done: objects, all: all.objects }, bytes: { done: bytes, all: all.bytes } })
  }
}

/** Reads a store, or some runs of it. Throws a UserError where any of that is damaged. */
export async function readIntact(
  store: ObjectStore,
  { ids, reportFlaw }: Pick<ContentsOptions, 'ids' | 'reportFlaw'>,
): Promise<StoreContents> {
  const contents = await readContents(store, {
    wantsReport: () => true,
    ...(ids && { ids }),
    ...(reportFlaw && { reportFlaw }),
  })
  const flaws = flawsOf(contents)
  if (flaws.length > 0)
    throw new UserError(
      flaws.slice(0, MOST_TOLD).map(({ path, what }) => ({
        message: `${store.locate(path)}: ${what}. Nothing was copied. ${adviceOn(store)}`,
      })),
    )
  if (contents.runs.size === 0 && contents.stages.size === 0)
    throw new UserError(`the store ${store.url} has no run and no stage; expected one with results`)
  return contents
}

/** The target's reports matter where a stage comes that they know, and where the same run comes. */
async function readTarget(store: ObjectStore, source: StoreContents): Promise<StoreContents> {
  const stated = new Set(
    [...source.stages.values()].flatMap(({ ref, inputs }) => [
      ref.key,
      ...inputs.map((input) => input.ref.key),
    ]),
  )
  for (const { report } of source.runs.values())
    for (const key of report?.digests.keys() ?? []) stated.add(key)
  return readContents(store, {
    wantsReport: (id, stages, has) =>
      source.runs.has(id) || stages.some((stage) => stated.has(stage.key) && !has(stage)),
  })
}

function adviceOn(store: ObjectStore): string {
  return store instanceof ArchiveStore
    ? 'Take an unchanged copy of the archive, or export the runs again'
    : `\`./zeroshift check --read-data --store ${store.url}\` finds all damage; with --repair, it deletes what can be computed again`
}

const MOST_TOLD = 20

function refuseConflict(
  from: ObjectStore,
  to: ObjectStore,
  source: StoreContents,
  target: StoreContents,
): void {
  const leftOut = planTransfer(source, target, 'target').conflict
  if (leftOut.stages.length === 0 && leftOut.runs.length === 0) return
  const deleted = planTransfer(source, target, 'source').conflict
  throw new UserError(
    `${from.url} and ${to.url} have different results of the same stages, as two devices compute them, and results of ` +
      'different models may not stand side by side. Nothing was copied. ' +
      `With --keep target, the copy leaves out ${describeConflict(leftOut)} of the source. With --keep source, it deletes ` +
      `${describeConflict(deleted)} of the target, where the next run computes again what it needs of them`,
  )
}

function describeConflict({ stages, runs, sweeps }: Conflict): string {
  const some = (what: string, names: readonly string[]) =>
    names.length === 0
      ? []
      : [
          `${what} ${names.slice(0, MOST_TOLD).join(', ')}${names.length > MOST_TOLD ? ` and ${names.length - MOST_TOLD} more` : ''}`,
        ]
  return [
    ...some('the stages', stages.map(nameOf)),
    ...some('the reports of the runs', runs),
    ...some('the reports of the sweeps', sweeps),
  ].join(', ')
}

const nameOf = ({ ref }: ContainedStage) => `${ref.kind}/${ref.key.slice(0, 12)}`

/**
 * Signatures and pages go before the manifest or the `report.json` that tells the next copy of the conflict, and stages
 * before their inputs.
 */
async function dropConflict(to: ObjectStore, { stages, runs, sweeps }: Conflict): Promise<void> {
  for (const id of sweeps) await dropReport(to, sweepFolder(id))
  for (const id of runs) {
    await dropAll(to, reportSignatures(id))
    await dropReport(to, runFolder(id))
  }
  for (const { ref } of stages) {
    await dropAll(to, stageSignatures(ref))
    await to.delete(manifestPath(ref))
  }
}

async function dropAll(to: ObjectStore, folder: string): Promise<void> {
  for (const { path } of await to.list(folder)) await to.delete(path)
}

async function dropReport(to: ObjectStore, folder: string): Promise<void> {
  const paths = (await to.list(`${folder}/report/`)).map(({ path }) => path)
  for (const path of jsonLast(paths)) await to.delete(path)
}

const jsonLast = (paths: readonly string[]) =>
  [...paths].sort((a, b) => Number(a.endsWith('/report.json')) - Number(b.endsWith('/report.json')))

const objectsOf = ({ blobs, stages, runs, sweeps, signatures, own }: TransferPlan) =>
  [blobs, stages.flat(), runs, sweeps, signatures, own].reduce((count, { length }) => count + length, 0)
const sum = (blobs: readonly BlobRef[]) => blobs.reduce((bytes, blob) => bytes + blob.bytes, 0)

/** The bytes of a blob, judged. Throws a UserError where they are not the blob's. */
async function readBlob(from: ObjectStore, blob: BlobRef): Promise<Uint8Array> {
  const path = blobPath(blob)
  let found = await from.getHashed(path)
  // The way here may have been at fault.
  if (found && found.sha256 !== blob.sha256) found = await from.getHashed(path)
  if (found?.sha256 === blob.sha256 && found.bytes.length === blob.bytes) return found.bytes
  throw new UserError(
    `${from.locate(path)}: ` +
      (found
        ? `the blob has ${found.bytes.length} bytes with the SHA-256 ${found.sha256}, expected ${blob.bytes} bytes with the one in its name`
        : 'the blob is missing') +
      `. No stage that has it was copied. ${adviceOn(from)}`,
  )
}

async function copyBlob(
  from: ObjectStore,
  to: ObjectStore,
  blob: BlobRef,
  there: ReadonlyMap<string, number>,
): Promise<void> {
  const path = blobPath(blob)
  const bytes = await readBlob(from, blob)
  // One of another size was cut off by something outside the store.
  if (there.has(path)) await to.put(path, bytes)
  else await to.putIfAbsent(path, bytes)
}

async function copyManifest(
  from: ObjectStore,
  artifacts: Artifacts,
  { ref, manifest, digest }: ContainedStage,
  isDamaged: boolean,
): Promise<void> {
  const to = artifacts.store
  const { bytes } = await readUnchanged(from, manifest)
  if (isDamaged) return to.put(manifest.path, bytes)
  if (await to.putIfAbsent(manifest.path, bytes)) return
  const standing = await to.get(manifest.path)
  const read = standing && readManifest(standing, ref)
  const other = read && 'manifest' in read ? manifestDigest(read.manifest) : undefined
  if (other === digest) return
  if (other !== undefined) await artifacts.deleteOtherSignatures(stageSignatures(ref), other)
  throw new Error(
    `${to.locate(manifest.path)} came to be while the store was copied, with another result; repeat the command`,
  )
}

async function copyObjects(
  from: ObjectStore,
  to: ObjectStore,
  objects: readonly VerifiedObject[],
): Promise<void> {
  for (const object of objects) await to.put(object.path, (await readUnchanged(from, object)).bytes)
}

/** The same bytes as when they were judged. */
async function readUnchanged(from: ObjectStore, { path, sha256 }: VerifiedObject): Promise<HashedBytes> {
  const found = await from.getHashed(path)
  if (found?.sha256 === sha256) return found
  throw new Error(`${from.locate(path)} was changed while the store was copied; repeat the command`)
}

interface Folder {
  readonly pages: boolean
  /** The target has something of that name. */
  readonly there: boolean
}

/**
 * The record is written first: a run folder without one is damage. `report.json` is written last, so that the next copy
 * knows that all of the run is there.
 */
async function copyRun(
  from: ObjectStore,
  artifacts: Artifacts,
  { id, record, isOwn, report }: ContainedRun,
  { pages, there }: Folder,
): Promise<void> {
  const to = artifacts.store
  // A report does not stand beside another record for a moment.
  if (there) await to.delete(reportPath(id))
  await to.put(record.path, (await readUnchanged(from, record)).bytes)
  if (isOwn) await artifacts.markOwn(id)
  if (!report) return
  if (pages) await copyPages(from, to, runFolder(id))
  if (there) await artifacts.deleteOtherSignatures(reportSignatures(id), report.digest ?? '')
  await copyObjects(from, to, [...report.signatures, report.json])
}

async function copySweep(
  from: ObjectStore,
  to: ObjectStore,
  { id, record, hasReport }: ContainedSweep,
  { pages, there }: Folder,
): Promise<void> {
  const json = sweepReportPath(id)
  if (there) await to.delete(json)
  await to.put(record.path, (await readUnchanged(from, record)).bytes)
  if (!hasReport || !pages) return
  await copyPages(from, to, sweepFolder(id))
  const bytes = await from.get(json)
  if (bytes) await to.put(json, bytes)
}

async function copyPages(from: ObjectStore, to: ObjectStore, folder: string): Promise<void> {
  for (const { path } of await from.list(`${folder}/report/`)) {
    const bytes = path === `${folder}/report/report.json` ? undefined : await from.get(path)
    if (bytes) await to.put(path, bytes)
  }
}

export function copiedOf({ plan }: PlannedCopy): Copied {
  const { blobs, stages, runs, sweeps, present, conflict } = plan
  const signed = [...stages.flat(), ...runs.flatMap(({ report }) => report ?? [])]
  return {
    copied: {
      signatures:
        plan.signatures.length + signed.reduce((count, { signatures }) => count + signatures.length, 0),
      ...{ runs: runs.length, sweeps: sweeps.length, stages: stages.flat().length },
      ...{ blobs: blobs.length, bytes: sum(blobs) },
    },
    present: { ...present, blobs: present.blobs.length, bytes: sum(present.blobs) },
    conflict: { ...conflict, stages: conflict.stages.map(({ ref }) => `${ref.kind}/${ref.key}`) },
  }
}
