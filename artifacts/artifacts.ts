import { closeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { canonicalJson, sha256 } from '../common/canonical.ts'
import { mapConcurrently } from '../common/concurrency.ts'
import { UserError } from '../common/errors.ts'
import { jsonBytes, parseJson } from '../common/json.ts'
import { manifestDigest, type BlobRef, type Manifest } from '../experiment/records/manifest.ts'
import { runLabelsSchema, type RunLabels } from '../experiment/records/run-labels.ts'
import type { RunRecord } from '../experiment/records/run.ts'
import type { StageKind, StageRef } from '../experiment/stages/stage.ts'
import type { SweepRecord } from '../experiment/sweep/sweep.ts'
import { subjectsOf } from '../signatures/statement.ts'
import { CorruptBlobError, MissingBlobError } from './blobs/blob-errors.ts'
import { openHashed } from './blobs/open-hashed.ts'
import { readCache, refuseWithoutRoom, type ReadCache } from './blobs/read-cache.ts'
import {
  blobPath,
  manifestPath,
  labelsPath,
  ownPath,
  reportPath,
  runFolder,
  runPath,
  stageFolder,
  stageSignatures,
  sweepFolder,
  sweepPath,
} from './format/layout.ts'
import { readManifest } from './format/read-manifest.ts'
import { recordFlaw } from './format/read-record.ts'
import { ensureFormat, mayLackDigest, readFormat, refuseLaterFormat } from './format/store-format.ts'
import { StoreView, summarize } from './store-view.ts'
import { traffic } from './store/events.ts'
import { isRemote, type ObjectStore } from './store/object-store.ts'
import { openStore } from './store/open-store.ts'

const REMEDY = 'run the same command again: the stage that made it is computed anew.'

/**
 * The results of stages, runs and sweeps in a store, whatever the backend (format/layout.ts). Blobs
 * of a remote store are read through a cache on this machine.
 */
export class Artifacts {
  readonly store: ObjectStore
  private readonly cache: ReadCache | undefined
  private format: Promise<void> | undefined
  private checked: Promise<void> | undefined

  constructor(store: ObjectStore, cache?: ReadCache) {
    this.store = store
    this.cache = cache
  }

  /** Writes bytes as a blob, unless the store has the blob already. */
  async putBlob(bytes: Uint8Array): Promise<BlobRef> {
    const blob = { sha256: sha256(bytes), bytes: bytes.length }
    const path = blobPath(blob)
    const size = await this.store.size(path)
    // Something outside Zeroshift has truncated an object of another size. It is replaced.
    if (size === undefined) await this.store.putIfAbsent(path, bytes)
    else if (size !== bytes.length) await this.store.put(path, bytes)
    return blob
  }

  /**
   * The bytes of a blob. Their size and digest are checked on every read. Throws a MissingBlobError
   * or a CorruptBlobError.
   */
  async getBlob(blob: BlobRef): Promise<Uint8Array> {
    const cached = await this.cache?.get(blob.sha256)
    if (cached) return cached
    const bytes = await this.fetchBlob(blob)
    await this.cache?.put(blob.sha256, bytes)
    return bytes
  }

  /**
   * Opens blobs as files on this machine, so that parts of them can be read. Each blob is checked
   * as a whole before this returns. Returns file descriptors, which the caller closes. Throws as
   * `getBlob` does, and a UserError if the cache is too small for the blobs of a remote store.
   */
  async openBlobs(blobs: readonly BlobRef[]): Promise<readonly number[]> {
    if (isRemote(this.store)) refuseWithoutRoom(blobs, this.cache)
    const descriptors: number[] = []
    try {
      for (const blob of blobs) descriptors.push(await this.openBlob(blob))
      return descriptors
    } catch (error) {
      for (const descriptor of descriptors) closeSync(descriptor)
      throw error
    }
  }

  private async openBlob(blob: BlobRef): Promise<number> {
    if (this.cache) return this.cache.open(blob.sha256, () => this.fetchBlob(blob))
    const opened = await openHashed(fileURLToPath(`${this.store.url}/${blobPath(blob)}`))
    if (!opened) throw this.missing(blob)
    traffic.publish({ direction: 'read', bytes: opened.bytes })
    if (opened.sha256 === blob.sha256) return opened.descriptor
    closeSync(opened.descriptor)
    throw this.damaged(blob, opened)
  }

  private async fetchBlob(blob: BlobRef): Promise<Uint8Array> {
    const path = blobPath(blob)
    let found = await this.store.getHashed(path)
    // The transfer may have failed: the blob is read a second time.
    if (found && found.sha256 !== blob.sha256) found = await this.store.getHashed(path)
    if (!found) throw this.missing(blob)
    const { bytes, sha256 } = found
    if (sha256 !== blob.sha256 || bytes.length !== blob.bytes)
      throw this.damaged(blob, { sha256, bytes: bytes.length })
    return bytes
  }

  private missing(blob: BlobRef): MissingBlobError {
    return new MissingBlobError(`the blob ${this.store.locate(blobPath(blob))} is missing; ${REMEDY}`, blob)
  }

  private damaged(blob: BlobRef, found: BlobRef): CorruptBlobError {
    return new CorruptBlobError(
      `the blob ${this.store.locate(blobPath(blob))} is damaged: its ${found.bytes} bytes have SHA-256 ${found.sha256}, ` +
        `expected ${blob.bytes} bytes with ${blob.sha256}. Delete it and ${REMEDY}`,
      blob,
    )
  }

  /** Deletes a blob from the store and from the cache of this machine. */
  async deleteBlob(blob: BlobRef): Promise<void> {
    await this.store.delete(blobPath(blob))
    await this.cache?.delete(blob.sha256)
  }

  /**
   * The manifest of a stage. Returns undefined if the stage has not finished, or if its manifest is
   * damaged: the stage is then computed again, and `commit` replaces the manifest.
   */
  async manifest<K extends StageKind>(ref: {
    readonly kind: K
    readonly key: string
  }): Promise<Extract<Manifest, { kind: K }> | undefined> {
    const path = manifestPath(ref)
    await this.checkFormat()
    const bytes = await this.store.get(path)
    if (!bytes) return undefined
    const read = readManifest(bytes, ref)
    if ('flaw' in read) return undefined
    if (!read.hasDigest && !mayLackDigest(await readFormat(this.store), ref.key)) return undefined
    return read.manifest as Extract<Manifest, { kind: K }>
  }

  /**
   * The manifest of a stage that need not be computed again: the store has all of its blobs, and
   * each input that the store has is the result from which the stage was computed. Returns
   * undefined for any other stage. To ask about many stages, use one `StoreView`.
   */
  async complete<K extends StageKind>(ref: {
    readonly kind: K
    readonly key: string
  }): Promise<Extract<Manifest, { kind: K }> | undefined> {
    const manifest = await this.manifest(ref)
    if (!manifest) return undefined
    const stale = await new StoreView(this).staleInput(summarize(manifest))
    return stale === undefined && (await this.holds(Object.values(manifest.outputs))) ? manifest : undefined
  }

  /** Whether the store has all of these blobs with their full sizes. The bytes are not read. */
  async holds(blobs: readonly BlobRef[]): Promise<boolean> {
    const sizes = await mapConcurrently(blobs, (blob) => this.store.size(blobPath(blob)))
    return blobs.every(({ bytes }, i) => sizes[i] === bytes)
  }

  /**
   * Commits the result of a stage by writing its manifest, and returns the manifest that is valid
   * from now on. If another writer came first, that is the other manifest, unless one of its blobs
   * is missing or one of its inputs has another result now. The new manifest then replaces it,
   * since another device may have computed other bytes. Throws for a number that is not finite.
   */
  async commit<M extends Manifest>(manifest: M): Promise<M> {
    const path = manifestPath(manifest)
    const bytes = jsonBytes(JSON.parse(canonicalJson({ ...manifest, digest: manifestDigest(manifest) })))
    if (await this.store.putIfAbsent(path, bytes)) return manifest
    const standing = await this.complete(manifest)
    if (standing) return standing as unknown as M
    await this.store.put(path, bytes)
    return manifest
  }

  /**
   * Deletes the lease and the checkpoints of a finished stage, and the signatures of any other
   * result than that of its manifest.
   */
  async clear(stage: StageRef): Promise<void> {
    const paths = (await this.store.list(stageFolder(stage))).map(({ path }) => path)
    const isSignature = (path: string) => path.startsWith(stageSignatures(stage))
    await Promise.all(
      paths
        .filter((path) => path !== manifestPath(stage) && !isSignature(path))
        .map((path) => this.store.delete(path)),
    )
    const manifest = paths.some(isSignature) ? await this.manifest(stage) : undefined
    if (manifest) await this.deleteOtherSignatures(stageSignatures(stage), manifestDigest(manifest))
  }

  /** Deletes the signatures in a folder whose first subject has another digest. */
  async deleteOtherSignatures(folder: string, digest: string): Promise<void> {
    await mapConcurrently(await this.store.list(folder), async ({ path }) => {
      const bytes = await this.store.get(path)
      const [subject] = bytes ? subjectsOf(new TextDecoder().decode(bytes)) : []
      if (subject?.digest.sha256 !== digest) await this.store.delete(path)
    })
  }

  /** Deletes the checkpoints of a stage, so that its next attempt starts from the beginning. */
  async deleteCheckpoints(stage: StageRef): Promise<void> {
    const objects = await this.store.list(`${stageFolder(stage)}checkpoints/`)
    await Promise.all(objects.map(({ path }) => this.store.delete(path)))
  }

  /**
   * Writes the record of a run. It keeps the order of keys, so that the report shows options in the
   * order of the specification.
   */
  async putRun(run: RunRecord): Promise<void> {
    await this.ensureFormat()
    await this.store.put(runPath(run.id), jsonBytes(run))
  }

  /**
   * Marks a run that was started by itself. If it is also a cell of a sweep, it stays when the
   * sweep is removed with its cells.
   */
  async markOwn(id: string): Promise<void> {
    await this.store.putIfAbsent(ownPath(id), jsonBytes({ own: true }))
  }

  /** The record of a run, if there is one. Throws a UserError if the record is damaged. */
  async run(id: string): Promise<RunRecord | undefined> {
    const path = runPath(id)
    await this.checkFormat()
    const bytes = await this.store.get(path)
    if (!bytes) return undefined
    const record = recordIn(bytes, this.store.locate(path))
    const flaw = recordFlaw(record, id)
    if (flaw === undefined) return record as RunRecord
    throw new UserError(
      `${this.store.locate(path)} is not the record of the run ${id} as it was written: ${flaw}. Put it right by running the ` +
        'same experiment again',
    )
  }

  /**
   * The tags and the note of a run. Returns undefined if it has none, or if the object cannot be
   * read as labels.
   */
  async labels(id: string): Promise<RunLabels | undefined> {
    const bytes = await this.store.get(labelsPath(id))
    return bytes && runLabelsSchema.safeParse(parseJson(bytes)).data
  }

  /** Replaces the tags and the note of a run. Deletes the object if there are none. */
  async putLabels(id: string, labels: RunLabels): Promise<void> {
    if (labels.tags.length === 0 && labels.note === undefined) await this.store.delete(labelsPath(id))
    else await this.store.put(labelsPath(id), jsonBytes(labels))
  }

  /** The ids of all runs that have a record. */
  async runs(): Promise<readonly string[]> {
    await this.checkFormat()
    const objects = await this.store.list('runs/')
    return objects.flatMap(({ path }) => /^runs\/([^/]+)\/run\.json$/.exec(path)?.[1] ?? [])
  }

  /** The text of a run's `report.json`, if the run has a report. */
  async reportJson(id: string): Promise<string | undefined> {
    const path = reportPath(id)
    await this.checkFormat()
    const bytes = await this.store.get(path)
    return bytes && new TextDecoder().decode(bytes)
  }

  /** Writes the files of a run's report, and returns the URL of their folder. */
  putReport(id: string, files: Readonly<Record<string, string>>): Promise<string> {
    return this.putFiles(`${runFolder(id)}/report`, files)
  }

  /** Writes the record of a sweep. */
  async putSweep(sweep: SweepRecord): Promise<void> {
    await this.ensureFormat()
    await this.store.put(sweepPath(sweep.id), jsonBytes(sweep))
  }

  /** The record of a sweep, if there is one. */
  async sweep(id: string): Promise<SweepRecord | undefined> {
    const path = sweepPath(id)
    await this.checkFormat()
    const bytes = await this.store.get(path)
    return bytes && (recordIn(bytes, this.store.locate(path)) as SweepRecord)
  }

  /** The ids of all sweeps. */
  async sweeps(): Promise<readonly string[]> {
    await this.checkFormat()
    const objects = await this.store.list('sweeps/')
    return objects.flatMap(({ path }) => /^sweeps\/([^/]+)\/sweep\.json$/.exec(path)?.[1] ?? [])
  }

  /** Writes the files of a sweep's report, and returns the URL of their folder. */
  putSweepReport(id: string, files: Readonly<Record<string, string>>): Promise<string> {
    return this.putFiles(`${sweepFolder(id)}/report`, files)
  }

  /** Throws a UserError, before anything is read, if a later version wrote the store. */
  private checkFormat(): Promise<void> {
    this.checked ??= refuseLaterFormat(this.store).catch((error: unknown) => {
      this.checked = undefined
      throw error
    })
    return this.checked
  }

  /** Writes the format file. Records are written first of all, so that every store has one. */
  private ensureFormat(): Promise<void> {
    this.format ??= ensureFormat(this.store)
    return this.format
  }

  private async putFiles(folder: string, files: Readonly<Record<string, string>>): Promise<string> {
    for (const [name, text] of Object.entries(files))
      await this.store.put(`${folder}/${name}`, new TextEncoder().encode(text))
    return this.store.locate(folder)
  }
}

/** Opens the store at a location. Throws as `openStore` does. */
export function openArtifacts(location: string): Artifacts {
  const store = openStore(location)
  return new Artifacts(store, isRemote(store) ? readCache(store.url) : undefined)
}

function recordIn(bytes: Uint8Array, where: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw new Error(`${where} is not whole JSON; delete it and run the same command again`, { cause })
  }
}
