import { allSettled, batches, chunks } from '../../common/concurrency.ts'
import { manifestDigest, type BlobRef } from '../../experiment/records/manifest.ts'
import { Artifacts } from '../artifacts.ts'
import {
  blobPath,
  manifestPath,
  reportPath,
  reportSignatures,
  runFolder,
  stageSignatures,
  sweepFolder,
  sweepReportPath,
} from '../format/layout.ts'
import { readManifest } from '../format/read-manifest.ts'
import { allowUndigested } from '../format/store-format.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { PlannedCopy } from './plan-copy.ts'
import { readBlob, readUnchanged } from './read-source.ts'
import type { ContainedRun, ContainedStage, ContainedSweep, VerifiedObject } from './contained.ts'
import { undigestedOf, type Conflict, type TransferPlan } from './transfer-plan.ts'

export interface WriteOptions {
  /** Whether to copy all files of reports, or only the `report.json` of each run. */
  readonly pages: boolean
  readonly onProgress?: (progress: CopyProgress) => void
}

export interface CopyProgress {
  readonly objects: { readonly done: number; readonly all: number }
  /** The bytes of blobs. */
  readonly bytes: { readonly done: number; readonly all: number }
}

/** What a copy transfers and what the target had before. */
export interface Copied {
  readonly copied: Counts
  /** The objects that the target had before. */
  readonly present: Counts
  /**
   * Because of a conflict, the part of the source that is left out or of the target that is
   * deleted.
   */
  readonly conflict: { readonly stages: readonly string[] } & Pick<Conflict, 'runs' | 'sweeps'>
}

/** Numbers of objects, and the bytes of the blobs. */
export interface Counts {
  readonly runs: number
  readonly sweeps: number
  readonly stages: number
  readonly signatures: number
  readonly blobs: number
  readonly bytes: number
}

/** The most objects and bytes in transfer at a time. A larger blob is transferred alone. */
const IN_TRANSFER = { most: 16, bytes: 256e6 }

/**
 * Writes a planned copy in an order that leaves a consistent target at any interruption: first
 * blobs, which are verified on the way, then manifests, inputs before their dependents, then the
 * records and reports of runs, and then those of sweeps. Signatures are written before the manifest
 * or the report that they sign, so that a signed result never appears without them. The next copy
 * continues an interrupted one. Throws a UserError for a damaged blob.
 */
export async function writeCopy(
  { from, to, keep, plan, target }: PlannedCopy,
  { pages, onProgress }: WriteOptions,
): Promise<void> {
  if (keep === 'source') await deleteConflict(to, plan.conflict)
  const artifacts = new Artifacts(to)
  const report = progressReporter(plan, onProgress)
  const each = async <T>(items: readonly T[], work: (item: T) => Promise<unknown>) => {
    for (const some of chunks(items, IN_TRANSFER.most))
      await allSettled(
        some.map((item) =>
          work(item).then(() => {
            report()
          }),
        ),
      )
  }
  for (const some of batches(plan.blobs, IN_TRANSFER))
    await allSettled(
      some.map((blob) =>
        copyBlob(from, to, blob, target.blobs).then(() => {
          report(blob.bytes)
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
    const isPresent = target.runs.has(run.id) || damaged.has(run.record.path)
    return copyRun(from, artifacts, run, { pages, isPresent })
  })
  await each(plan.signatures, (signature) => copyObjects(from, to, [signature]))
  await each(plan.own, (id) => artifacts.markOwn(id))
  await each(plan.labels, (labels) => copyAbsent(from, to, labels))
  await each(plan.sweeps, (sweep) =>
    copySweep(from, to, sweep, { pages, isPresent: target.sweeps.has(sweep.id) }),
  )
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

/**
 * Deletes the conflicting results of the target. Signatures and pages are deleted before the
 * manifest or `report.json` from which the next copy would notice the conflict, and stages before
 * their inputs.
 */
async function deleteConflict(to: ObjectStore, { stages, runs, sweeps }: Conflict): Promise<void> {
  for (const id of sweeps) await deleteReport(to, sweepFolder(id))
  for (const id of runs) {
    await deleteAll(to, reportSignatures(id))
    await deleteReport(to, runFolder(id))
  }
  for (const { ref } of stages) {
    await deleteAll(to, stageSignatures(ref))
    await to.delete(manifestPath(ref))
  }
}

async function deleteAll(to: ObjectStore, folder: string): Promise<void> {
  for (const { path } of await to.list(folder)) await to.delete(path)
}

async function deleteReport(to: ObjectStore, folder: string): Promise<void> {
  const paths = (await to.list(`${folder}/report/`)).map(({ path }) => path)
  for (const path of jsonLast(paths)) await to.delete(path)
}

const jsonLast = (paths: readonly string[]) =>
  [...paths].sort((a, b) => Number(a.endsWith('/report.json')) - Number(b.endsWith('/report.json')))

const objectsOf = ({ blobs, stages, runs, sweeps, signatures, own, labels }: TransferPlan) =>
  [blobs, stages.flat(), runs, sweeps, signatures, own, labels].reduce(
    (count, { length }) => count + length,
    0,
  )
const sum = (blobs: readonly BlobRef[]) => blobs.reduce((bytes, blob) => bytes + blob.bytes, 0)

async function copyBlob(
  from: ObjectStore,
  to: ObjectStore,
  blob: BlobRef,
  present: ReadonlyMap<string, number>,
): Promise<void> {
  const path = blobPath(blob)
  const bytes = await readBlob(from, blob)
  // Something outside Zeroshift has truncated a blob of another size. It is replaced.
  if (present.has(path)) await to.put(path, bytes)
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

/** Copies an object unless the target has one of its path. */
async function copyAbsent(from: ObjectStore, to: ObjectStore, object: VerifiedObject): Promise<void> {
  await to.putIfAbsent(object.path, (await readUnchanged(from, object)).bytes)
}

interface Folder {
  readonly pages: boolean
  /** Whether the target has a run or a sweep of this id. */
  readonly isPresent: boolean
}

/**
 * Copies a run. The record is written first, because a run folder without one counts as damaged.
 * `report.json` is written last, so that its presence shows that the whole run was copied.
 */
async function copyRun(
  from: ObjectStore,
  artifacts: Artifacts,
  { id, record, isOwn, labels, report }: ContainedRun,
  { pages, isPresent }: Folder,
): Promise<void> {
  const to = artifacts.store
  // The old report must not appear together with the new record.
  if (isPresent) await to.delete(reportPath(id))
  await to.put(record.path, (await readUnchanged(from, record)).bytes)
  if (isOwn) await artifacts.markOwn(id)
  if (labels) await copyAbsent(from, to, labels)
  if (!report) return
  if (pages) await copyPages(from, to, runFolder(id))
  if (isPresent) await artifacts.deleteOtherSignatures(reportSignatures(id), report.digest ?? '')
  await copyObjects(from, to, [...report.signatures, report.json])
}

async function copySweep(
  from: ObjectStore,
  to: ObjectStore,
  { id, record, hasReport }: ContainedSweep,
  { pages, isPresent }: Folder,
): Promise<void> {
  const json = sweepReportPath(id)
  if (isPresent) await to.delete(json)
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

/** The numbers of a planned copy. */
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
