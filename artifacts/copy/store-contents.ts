import { z } from 'zod'
import { sha256 } from '../../common/canonical.ts'
import { UserError } from '../../common/errors.ts'
import { parseJson } from '../../common/json.ts'
import { manifestDigest, type BlobRef } from '../../experiment/records/manifest.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import type { StageKind, StageRef } from '../../experiment/stages/stage.ts'
import type { SweepRecord } from '../../experiment/sweep/sweep.ts'
import { reportClaims, signedReport, stageClaims } from '../../signatures/claims.ts'
import type { Claims } from '../../signatures/statement.ts'
import {
  manifestPath,
  ownPath,
  reportPath,
  reportSignatures,
  runPath,
  stageSignatures,
  sweepPath,
  sweepReportPath,
} from '../format/layout.ts'
import { verifySignature } from '../check/check-signatures.ts'
import { pooled } from '../../common/concurrency.ts'
import { readManifest } from '../format/read-manifest.ts'
import { recordFlaw } from '../format/read-record.ts'
import { mayLackDigest, readFormat, type StoreFormat } from '../format/store-format.ts'
import type { ObjectStore } from '../store/object-store.ts'

/** An object that was read and verified. Its bytes are read again when they are copied. */
export interface VerifiedObject {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
}

/** A finished stage: its manifest without the metrics. */
export interface ContainedStage {
  readonly ref: StageRef
  readonly manifest: VerifiedObject
  readonly hasDigest: boolean
  readonly digest: string
  readonly inputs: readonly { readonly ref: StageRef; readonly digest: string | undefined }[]
  readonly outputs: readonly BlobRef[]
  readonly signatures: readonly VerifiedObject[]
}

export interface ContainedRun {
  readonly id: string
  readonly record: VerifiedObject
  readonly stages: readonly StageRef[]
  readonly failed: number
  /** Whether the run was started by itself, not only as a cell of a sweep. */
  readonly isOwn: boolean
  readonly report?: ContainedReport
}

export interface ContainedReport {
  readonly json: VerifiedObject
  /** The digest in the report, which its signatures sign. */
  readonly digest: string | undefined
  readonly signatures: readonly VerifiedObject[]
  /** The digests of the manifests in the report, by the keys of the stages. */
  readonly digests: ReadonlyMap<string, string>
}

export interface ContainedSweep {
  readonly id: string
  readonly record: VerifiedObject
  readonly runs: readonly string[]
  readonly cells: number
  readonly failures: number
  readonly hasReport: boolean
}

/** A damaged object. */
export interface Flaw {
  readonly path: string
  readonly what: string
}

/**
 * The finished stages, runs and sweeps of a store, verified as readers of the store verify them.
 */
export interface StoreContents {
  readonly stages: ReadonlyMap<string, ContainedStage>
  readonly runs: ReadonlyMap<string, ContainedRun>
  readonly sweeps: ReadonlyMap<string, ContainedSweep>
  /** The sizes of the blobs, by path. */
  readonly blobs: ReadonlyMap<string, number>
  /**
   * The keys of the stages that have signatures but no valid manifest. It is empty if only some
   * runs were read.
   */
  readonly signedOnly: ReadonlySet<string>
  readonly flaws: readonly Flaw[]
}

export interface ContentsOptions {
  /** The ids of the runs and sweeps to read, with the stages of their runs. The default is all. */
  readonly ids?: readonly string[]
  /**
   * Whether to read the report of a run. `has` tells whether the store has a stage. It always
   * returns false if only some runs are read.
   */
  readonly wantsReport: (
    id: string,
    stages: readonly StageRef[],
    has: (stage: StageRef) => boolean,
  ) => boolean
  /**
   * Returns the flaw of a run's `report.json`, if it has one. If absent, reports are not verified.
   */
  readonly reportFlaw?: (run: RunRecord, text: string) => Promise<string | undefined>
}

/**
 * Reads a store. Throws a UserError if it does not have one of the runs and sweeps of `ids`, or if
 * a later version wrote it.
 */
export async function readContents(store: ObjectStore, options: ContentsOptions): Promise<StoreContents> {
  const format = await readFormat(store)
  const flaws: Flaw[] = []
  const objects = options.ids ? undefined : (await store.list('stages/')).map(({ path }) => path)
  const all = objects && (await readStages(store, objects.flatMap(refOf), { format, flaws, objects }))
  const sweeps = await readSweeps(store, options.ids, flaws)
  const has = ({ key }: StageRef) => all?.has(key) ?? false
  const runs = await readRuns(store, { ...options, sweeps, flaws, has })
  const wanted = [...runs.values()].flatMap((run) => run.stages)
  const stages = all ?? (await readStages(store, wanted, { format, flaws }))
  // Blobs are listed last, because a manifest is written after its blobs.
  const blobs = await store.list('blobs/sha256/')
  const signed = (objects ?? []).flatMap((path) => signatureName.exec(path)?.[1] ?? [])
  return {
    ...{ stages, runs, sweeps, blobs: new Map(blobs.map(({ path, bytes }) => [path, bytes])), flaws },
    signedOnly: new Set(signed.filter((key) => !stages.has(key))),
  }
}

const signatureName = /^stages\/[a-z]+\/([0-9a-f]{64})\/signatures\//
const manifestName = /^stages\/([a-z]+)\/([0-9a-f]{64})\/manifest\.json$/
async function readStages(
  store: ObjectStore,
  refs: readonly StageRef[],
  {
    format,
    objects,
    flaws,
  }: {
    readonly format: StoreFormat | undefined
    /** The paths below `stages/`, if they are known. */
    readonly objects?: readonly string[]
    flaws: Flaw[]
  },
): Promise<ReadonlyMap<string, ContainedStage>> {
  const signatures = objects && signaturesByKey(objects)
  const unique = [...new Map(refs.map((ref) => [manifestPath(ref), ref])).values()]
  const stages = await pooled(unique, async (ref) => {
    const path = manifestPath(ref)
    const bytes = await store.get(path)
    if (!bytes) return []
    const read = readManifest(bytes, ref)
    const flaw =
      'flaw' in read
        ? read.flaw
        : read.hasDigest || mayLackDigest(format, ref.key)
          ? undefined
          : 'its digest was removed: store.json does not list it among older ones'
    if ('flaw' in read || flaw !== undefined) {
      flaws.push({ path, what: flaw ?? 'it cannot be read' })
      return []
    }
    const { manifest, hasDigest } = read
    const digest = manifestDigest(manifest)
    const signed = signatures
      ? (signatures.get(ref.key) ?? [])
      : await pathsBelow(store, stageSignatures(ref))
    const claims = stageClaims({ ...ref, digest, outputs: manifest.outputs })
    const stage: ContainedStage = {
      ref,
      manifest: { path, bytes: bytes.length, sha256: sha256(bytes) },
      hasDigest,
      digest,
      inputs: Object.entries<StageRef>(manifest.inputs).map(([name, { kind, key }]) => ({
        ref: { kind, key },
        digest: manifest.inputDigests[name],
      })),
      outputs: Object.values(manifest.outputs).map(({ sha256, bytes }) => ({ sha256, bytes })),
      signatures: await validSignatures(store, signed, claims, flaws),
    }
    return [[ref.key, stage] as const]
  })
  return new Map(stages.flat())
}

function signaturesByKey(paths: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const byKey = new Map<string, string[]>()
  for (const path of paths) {
    const key = signatureName.exec(path)?.[1]
    if (key === undefined) continue
    const known = byKey.get(key)
    if (known) known.push(path)
    else byKey.set(key, [path])
  }
  return byKey
}

const pathsBelow = async (store: ObjectStore, folder: string) =>
  (await store.list(folder)).map(({ path }) => path)

/** The valid signatures, whoever signed. Each of the others is added to the flaws. */
async function validSignatures<C extends string>(
  store: ObjectStore,
  paths: readonly string[],
  claims: Claims<C>,
  flaws: Flaw[],
): Promise<readonly VerifiedObject[]> {
  const sound: VerifiedObject[] = []
  // One at a time, because anybody may have written many of them.
  for (const path of paths) {
    const bytes = await store.get(path)
    if (!bytes) continue
    const judged = verifySignature(path, new TextDecoder().decode(bytes), claims, [])
    const what = 'flaw' in judged ? judged.flaw : keyName.test(path) ? undefined : NO_KEY_NAME
    if (what === undefined) sound.push({ path, bytes: bytes.length, sha256: sha256(bytes) })
    else flaws.push({ path, what })
  }
  return sound
}

/** Only files in the folder itself are copied. */
const keyName = /\/(report\.)?signatures\/\w[\w.:=+-]{0,199}\.json$/
const NO_KEY_NAME = 'its name is no id of a key'

function refOf(path: string): readonly StageRef[] {
  const [, kind, key] = manifestName.exec(path) ?? []
  return kind === undefined || key === undefined ? [] : [{ kind: kind as StageKind, key }]
}

async function readSweeps(
  store: ObjectStore,
  ids: readonly string[] | undefined,
  flaws: Flaw[],
): Promise<ReadonlyMap<string, ContainedSweep>> {
  const all = ids ?? (await idsBelow(store, 'sweeps', 'sweep.json'))
  const sweeps = await pooled(all, async (id) => {
    const path = sweepPath(id)
    const bytes = await store.get(path)
    if (!bytes) return []
    try {
      const { cells, failures = [], ...sweep } = parseJson(bytes) as SweepRecord
      if (sweep.id !== id) throw new Error(`it is the record of ${sweep.id}`)
      const runs = [...new Set(cells.flatMap((cell) => cell.runs))]
      const hasReport = (await store.size(sweepReportPath(id))) !== undefined
      const record = { path, bytes: bytes.length, sha256: sha256(bytes) }
      return [{ id, record, runs, cells: cells.length, failures: failures.length, hasReport }]
    } catch {
      flaws.push({ path, what: `it is no whole record of the sweep ${id}` })
      return []
    }
  })
  return new Map(sweeps.flat().map((sweep) => [sweep.id, sweep]))
}

async function readRuns(
  store: ObjectStore,
  {
    ids,
    sweeps,
    wantsReport,
    reportFlaw,
    has,
    flaws,
  }: ContentsOptions & {
    readonly sweeps: ReadonlyMap<string, ContainedSweep>
    readonly has: (stage: StageRef) => boolean
    flaws: Flaw[]
  },
): Promise<ReadonlyMap<string, ContainedRun>> {
  const ofSweeps = [...sweeps.values()].flatMap(({ runs }) => runs)
  const named = ids?.filter((id) => !sweeps.has(id))
  const all = named ? [...new Set([...named, ...ofSweeps])] : await idsBelow(store, 'runs', '')
  // Saves memory: runs share stages, and each reference is kept once.
  const refs = new Map<string, StageRef>()
  const kept = ({ kind, key }: StageRef) => {
    const ref = refs.get(key) ?? { kind, key }
    refs.set(key, ref)
    return ref
  }
  const runs = await pooled(all, async (id) => {
    const path = runPath(id)
    const bytes = await store.get(path)
    if (!bytes && named?.includes(id))
      throw new UserError(`the store ${store.url} has no run and no sweep '${id}'; expected the id of one`)
    const record = bytes && parseJson(bytes)
    const flaw = bytes ? recordFlaw(record, id) : 'it is missing'
    if (!bytes || flaw !== undefined) {
      flaws.push({ path, what: flaw ?? 'it is missing' })
      return []
    }
    const run = record as RunRecord
    const stages = stagesOf(run.plan).map(kept)
    const report = wantsReport(id, stages, has)
      ? await readReport(store, run, { reportFlaw, flaws })
      : undefined
    const contained: ContainedRun = {
      ...{ id, stages, record: { path, bytes: bytes.length, sha256: sha256(bytes) } },
      failed: run.failed?.length ?? 0,
      isOwn: (await store.size(ownPath(id))) !== undefined,
      ...(report && { report }),
    }
    return [[id, contained] as const]
  })
  const found = new Map(runs.flat())
  for (const { id, record, runs: needed } of sweeps.values()) {
    const lost = needed.find((run) => !found.has(run))
    if (lost !== undefined)
      flaws.push({ path: record.path, what: `the run ${lost} of ${id} has no record that holds` })
  }
  return found
}

const reportSchema = z.object({
  computed: z.object({ stages: z.array(z.object({ key: z.string(), digest: z.string().optional() })) }),
})

async function readReport(
  store: ObjectStore,
  run: RunRecord,
  { reportFlaw, flaws }: { reportFlaw: ContentsOptions['reportFlaw'] | undefined; flaws: Flaw[] },
): Promise<ContainedReport | undefined> {
  const path = reportPath(run.id)
  const bytes = await store.get(path)
  if (!bytes) return undefined
  const value = parseJson(bytes)
  const { data } = reportSchema.safeParse(value)
  const flaw = data
    ? await reportFlaw?.(run, new TextDecoder().decode(bytes))
    : 'this is not the report of a run'
  if (!data || flaw !== undefined) {
    flaws.push({ path, what: flaw ?? '' })
    return undefined
  }
  const digests = data.computed.stages.flatMap(({ key, digest }) =>
    digest === undefined ? [] : [[key, digest] as const],
  )
  const signed = signedReport(run.id, value)
  const signatures = signed ? await pathsBelow(store, reportSignatures(run.id)) : []
  return {
    json: { path, bytes: bytes.length, sha256: sha256(bytes) },
    digests: new Map(digests),
    digest: signed?.digest,
    signatures: signed ? await validSignatures(store, signatures, reportClaims(signed), flaws) : [],
  }
}

/** The names of the folders in a folder that contain this file, or any file if it is empty text. */
async function idsBelow(store: ObjectStore, folder: string, file: string): Promise<readonly string[]> {
  const paths = (await store.list(`${folder}/`)).map(({ path }) => path.split('/'))
  const ids = paths.flatMap(([, id, name]) =>
    id !== undefined && name !== undefined && (file === '' || name === file) ? [id] : [],
  )
  return [...new Set(ids)]
}
