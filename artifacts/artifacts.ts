import { closeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { canonicalJson, sha256 } from '../common/canonical.ts'
import { UserError } from '../common/errors.ts'
import { manifestDigest, type BlobRef, type Manifest } from '../experiment/records/manifest.ts'
import type { RunRecord } from '../experiment/records/run.ts'
import type { StageKind, StageRef } from '../experiment/stages/stage.ts'
import type { SweepRecord } from '../experiment/sweep/sweep.ts'
import { subjectsOf } from '../signatures/statement.ts'
import { traffic } from '../common/event.ts'
import { openChecked } from './blobs/open-checked.ts'
import { pooled } from '../common/concurrency.ts'
import { readCache, refuseWithoutRoom, type ReadCache } from './blobs/read-cache.ts'
import { readManifest } from './format/read-manifest.ts'
import { recordFlaw } from './format/read-record.ts'
import { ensureFormat, mayLackDigest, readFormat, refuseLaterFormat } from './format/store-format.ts'
import { knownStage, StoreView } from './store-view.ts'
import { isRemote, openStore, type ObjectStore } from './store/open-store.ts'

const REMEDY = 'run the same command again: the stage that made it is computed anew.'

/** A blob that cannot be used. The message says what to do. */
export class BlobError extends Error {
  readonly blob: BlobRef

  constructor(message: string, blob: BlobRef) {
    super(message)
    this.blob = blob
  }
}

/** A blob that is not what its name says. */
export class CorruptBlobError extends BlobError {
  override readonly name = 'CorruptBlobError'
}

/** A blob that a manifest names and that is not there. */
export class MissingBlobError extends BlobError {
  override readonly name = 'MissingBlobError'
}

/**
 * What stages leave, in any store:
 *
 *     store.json                            how all that follows is written (store-format.ts)
 *     blobs/sha256/ab/abcd…                 bytes, named by their digest, never changed
 *     stages/<kind>/<key>/manifest.json     written last: it is there whole, or the stage has not finished
 *     stages/<kind>/<key>/lease/…           who computes the stage and how its batches are cut (lease.ts), until it
 *                                           has finished
 *     stages/<kind>/<key>/checkpoints/…     how far it has come (checkpoints.ts), until it has finished
 *     stages/<kind>/<key>/signatures/<keyid>.json   DSSE envelopes about the manifest's digest (signed.ts)
 *     runs/<id>/run.json                    what was asked for
 *     runs/<id>/own.json                    somebody asked for the run itself, not only for a sweep
 *     runs/<id>/report/…                    what came out, for people
 *     runs/<id>/report.signatures/<keyid>.json      DSSE envelopes about the report's digest
 *     sweeps/<id>/sweep.json                many runs that were asked for together
 *     sweeps/<id>/report/…                  what came out of them
 *     removals/<name>.json                  a removal that is not finished (removal-notes.ts)
 *     maintenance/<n>.json                  who deletes from the store now (store-lock.ts)
 *     doctor/…                              probes, which whoever writes them deletes (store-clock.ts)
 */
export class Artifacts {
  readonly store: ObjectStore
  private readonly cache: ReadCache | undefined
  private format: Promise<void> | undefined
  private known: Promise<void> | undefined

  constructor(store: ObjectStore, cache?: ReadCache) {
    this.store = store
    this.cache = cache
  }

  async putBlob(bytes: Uint8Array): Promise<BlobRef> {
    const blob = { sha256: sha256(bytes), bytes: bytes.length }
    const path = blobPath(blob)
    const there = await this.store.size(path)
    // A file of another size was cut off by something outside this store: the right bytes replace it.
    if (there === undefined) await this.store.putIfAbsent(path, bytes)
    else if (there !== bytes.length) await this.store.put(path, bytes)
    return blob
  }

  /** The bytes, checked against their size and digest on every read. */
  async getBlob(blob: BlobRef): Promise<Uint8Array> {
    const cached = await this.cache?.get(blob.sha256)
    if (cached) return cached
    const bytes = await this.fetchBlob(blob)
    await this.cache?.put(blob.sha256, bytes)
    return bytes
  }

  /**
   * Files of this machine that hold blobs, open and each checked as a whole: for who reads parts of them. The descriptors
   * are the caller's to close. Throws a UserError where the blobs of a remote store find no room here.
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
    const opened = await openChecked(fileURLToPath(`${this.store.url}/${blobPath(blob)}`))
    if (!opened) throw this.missing(blob)
    traffic.publish({ direction: 'read', bytes: opened.bytes })
    if (opened.sha256 === blob.sha256) return opened.descriptor
    closeSync(opened.descriptor)
    throw this.damaged(blob, opened)
  }

  private async fetchBlob(blob: BlobRef): Promise<Uint8Array> {
    const path = blobPath(blob)
    let found = await this.store.getHashed(path)
    // The way here may have been at fault.
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

  async deleteBlob(blob: BlobRef): Promise<void> {
    await this.store.delete(blobPath(blob))
  }

  async manifest<K extends StageKind>(ref: {
    readonly kind: K
    readonly key: string
  }): Promise<Extract<Manifest, { kind: K }> | undefined> {
    const path = manifestPath(ref)
    await this.readable()
    const bytes = await this.store.get(path)
    if (!bytes) return undefined
    const read = readManifest(bytes, ref)
    // A damaged one is as good as none: the stage is computed again, and commit() puts the new one in its place.
    if ('flaw' in read) return undefined
    if (!read.hasDigest && !mayLackDigest(await readFormat(this.store), ref.key)) return undefined
    return read.manifest as Extract<Manifest, { kind: K }>
  }

  /**
   * The manifest, where all that it names is there too, and those inputs that are there are the ones that it was computed
   * from: what lets a stage be left out. Many stages are asked of one `StoreView`.
   */
  async complete<K extends StageKind>(ref: {
    readonly kind: K
    readonly key: string
  }): Promise<Extract<Manifest, { kind: K }> | undefined> {
    const manifest = await this.manifest(ref)
    if (!manifest) return undefined
    const stale = await new StoreView(this).staleInput(knownStage(manifest))
    return stale === undefined && (await this.holds(Object.values(manifest.outputs))) ? manifest : undefined
  }

  /** Whether blobs are there, in their full lengths. */
  async holds(blobs: readonly BlobRef[]): Promise<boolean> {
    const sizes = await pooled(blobs, (blob) => this.store.size(blobPath(blob)))
    return blobs.every(({ bytes }, i) => sizes[i] === bytes)
  }

  /**
   * The commit point of a stage. Answers the manifest that stands: the first writer's, unless a blob that it names is
   * gone, or an input is another one by now. The new one then takes its place, since another device may have computed other
   * bytes. Keys are in canonical order; a number that is not finite is an error, where plain JSON would make it null.
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
   * Removes the lease and the checkpoints of a stage that has finished, and signatures of another
   * result than the one that stands.
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
    if (manifest) await this.dropOtherSignatures(stageSignatures(stage), manifestDigest(manifest))
  }

  /** Removes the signatures in a folder whose first subject has another digest. */
  async dropOtherSignatures(folder: string, digest: string): Promise<void> {
    await pooled(await this.store.list(folder), async ({ path }) => {
      const bytes = await this.store.get(path)
      const [subject] = bytes ? subjectsOf(new TextDecoder().decode(bytes)) : []
      if (subject?.digest.sha256 !== digest) await this.store.delete(path)
    })
  }

  /** Removes the checkpoints of a stage: its next attempt begins at the beginning. */
  async dropCheckpoints(stage: StageRef): Promise<void> {
    const objects = await this.store.list(`${stageFolder(stage)}checkpoints/`)
    await Promise.all(objects.map(({ path }) => this.store.delete(path)))
  }

  /** Keeps the order of keys: the report shows options in the order in which the spec has them. */
  async putRun(run: RunRecord): Promise<void> {
    await this.formatted()
    await this.store.put(`${runFolder(run.id)}/run.json`, jsonBytes(run))
  }

  /** Notes that somebody asked for the run itself: removing a sweep does not remove it as a cell. */
  async markOwn(id: string): Promise<void> {
    await this.store.putIfAbsent(`${runFolder(id)}/own.json`, jsonBytes({ own: true }))
  }

  async run(id: string): Promise<RunRecord | undefined> {
    const path = `${runFolder(id)}/run.json`
    await this.readable()
    const bytes = await this.store.get(path)
    if (!bytes) return undefined
    const record = parseJson(bytes, this.store.locate(path))
    const flaw = recordFlaw(record, id)
    if (flaw === undefined) return record as RunRecord
    throw new UserError(
      `${this.store.locate(path)} is not the record of the run ${id} as it was written: ${flaw}. Put it right by running the ` +
        'same experiment again',
    )
  }

  async runs(): Promise<readonly string[]> {
    await this.readable()
    const objects = await this.store.list('runs/')
    return objects.flatMap(({ path }) => /^runs\/([^/]+)\/run\.json$/.exec(path)?.[1] ?? [])
  }

  /** The `report.json` of a run, where it has a report. */
  async reportJson(id: string): Promise<string | undefined> {
    const path = `${runFolder(id)}/report/report.json`
    await this.readable()
    const bytes = await this.store.get(path)
    return bytes && new TextDecoder().decode(bytes)
  }

  /** Writes a run's report; answers the URL of its folder. */
  putReport(id: string, files: Readonly<Record<string, string>>): Promise<string> {
    return this.putFiles(`${runFolder(id)}/report`, files)
  }

  async putSweep(sweep: SweepRecord): Promise<void> {
    await this.formatted()
    await this.store.put(`${sweepFolder(sweep.id)}/sweep.json`, jsonBytes(sweep))
  }

  async sweep(id: string): Promise<SweepRecord | undefined> {
    const path = `${sweepFolder(id)}/sweep.json`
    await this.readable()
    const bytes = await this.store.get(path)
    return bytes && (parseJson(bytes, this.store.locate(path)) as SweepRecord)
  }

  async sweeps(): Promise<readonly string[]> {
    await this.readable()
    const objects = await this.store.list('sweeps/')
    return objects.flatMap(({ path }) => /^sweeps\/([^/]+)\/sweep\.json$/.exec(path)?.[1] ?? [])
  }

  /** Writes a sweep's report; answers the URL of its folder. */
  putSweepReport(id: string, files: Readonly<Record<string, string>>): Promise<string> {
    return this.putFiles(`${sweepFolder(id)}/report`, files)
  }

  /** Refuses a store that a later version wrote, before anything of it is relied on. */
  private readable(): Promise<void> {
    this.known ??= refuseLaterFormat(this.store).catch((error: unknown) => {
      this.known = undefined
      throw error
    })
    return this.known
  }

  /** What is asked for is written first: by then the store says how it is written. */
  private formatted(): Promise<void> {
    this.format ??= ensureFormat(this.store)
    return this.format
  }

  private async putFiles(folder: string, files: Readonly<Record<string, string>>): Promise<string> {
    for (const [name, text] of Object.entries(files))
      await this.store.put(`${folder}/${name}`, new TextEncoder().encode(text))
    return this.store.locate(folder)
  }
}

export function openArtifacts(location: string): Artifacts {
  const store = openStore(location)
  return new Artifacts(store, isRemote(store) ? readCache(store.url) : undefined)
}

/** What names an object comes from manifests, records and tasks, which anybody may have written. Throws a UserError. */
function nameIn(text: string, pattern: RegExp, expected: string): string {
  if (pattern.test(text)) return text
  throw new UserError(`"${text}" is no name of something in a store; expected ${expected}`)
}

export function blobPath({ sha256: digest }: BlobRef): string {
  nameIn(digest, /^[0-9a-f]{64}$/, 'the 64 hexadecimal digits of a SHA-256')
  return `blobs/sha256/${digest.slice(0, 2)}/${digest}`
}

/** Names, and dots between them: a verification's id has some. */
const ID = /^(?!.{161})[\w-]+(\.[\w-]+)*$/
const idIn = (id: string) => nameIn(id, ID, 'the id of a run or a sweep')
export const runFolder = (id: string) => `runs/${idIn(id)}` as const
export const sweepFolder = (id: string) => `sweeps/${idIn(id)}` as const

const manifestPath = (stage: StageRef) => `${stageFolder(stage)}manifest.json`

/** What belongs to a stage beside its blobs; ends in a slash. */
export function stageFolder({ kind, key }: StageRef): string {
  return `stages/${nameIn(kind, ID, 'a kind of stage')}/${nameIn(key, ID, 'the key of a stage')}/`
}

/** The folder of the signatures of a stage's manifest; ends in a slash, as the next one does. */
export const stageSignatures = (stage: StageRef) => `${stageFolder(stage)}signatures/`
export const reportSignatures = (id: string) => `${runFolder(id)}/report.signatures/`

/** Plain JSON as the store keeps it. */
export const jsonBytes = (value: unknown) => new TextEncoder().encode(`${JSON.stringify(value, null, 1)}\n`)

function parseJson(bytes: Uint8Array, where: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw new Error(`${where} is not whole JSON; delete it and run the same command again`, { cause })
  }
}
