import { sha256 } from '../../common/canonical.ts'
import { mapConcurrently } from '../../common/concurrency.ts'
import { UserError } from '../../common/errors.ts'
import { manifestDigest, type BlobRef, type Manifest } from '../../experiment/records/manifest.ts'
import { attachmentsOf } from '../../experiment/plan/attachments.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import type { StageKind, StageRef } from '../../experiment/stages/stage.ts'
import { stageClaims } from '../../signatures/claims.ts'
import type { PublicKey } from '../../signatures/keys.ts'
import type { Artifacts } from '../artifacts.ts'
import { blobPath, stageFolder } from '../format/layout.ts'
import { checkLedgers } from './check-ledgers.ts'
import { checkReports, checkSweeps, pathsBy, readRecords } from './check-records.ts'
import { demandSignatures, verifySignatures, type DemandedSignatures } from './check-signatures.ts'
import type { Damage, ReadStage, Suspicion } from './damage.ts'
import { readManifest } from '../format/read-manifest.ts'
import { LaterFormatError, mayLackDigest, readFormat, type StoreFormat } from '../format/store-format.ts'
import type { ObjectStore, StoredObject } from '../store/object-store.ts'
import { purgedDigests } from '../stored-ledgers.ts'

export interface CheckedStore {
  readonly runs: number
  readonly stages: number
  readonly blobs: number
  /** The bytes of the blobs whose contents were read. */
  readonly read: number
  readonly damage: readonly Damage[]
  /** Findings in stages that are being computed or were replaced lately. They are no damage yet. */
  readonly inUse: readonly Damage[]
  /** The number of valid signatures. A signature by an unknown key does not count. */
  readonly signatures: number
  /** The signatures of the required keys. It is absent if no key is required. */
  readonly demanded?: DemandedSignatures
}

export interface CheckOptions {
  /** Whether to read the contents of every blob. */
  readonly readData: boolean
  /** The grace period in milliseconds. Younger objects may be in use. */
  readonly grace: number
  /** The time by the store's clock, in milliseconds since 1970. */
  readonly now: number
  /** Returns the flaw of a run's `report.json`, if it has one. */
  readonly reportFlaw: (run: RunRecord, text: string) => Promise<string | undefined>
  /** If given, one of these keys must have signed every stage of the runs. */
  readonly signers?: readonly PublicKey[]
  /** The ids of the runs whose stages must be signed. The default is all runs. */
  readonly signedRuns?: readonly string[]
}

const RECOMPUTE = 'the next run that needs the stage computes it again'

/**
 * Checks a store without writing to it. The store may be in use: objects that change during the
 * check are left to the next one.
 */
export async function checkStore(artifacts: Artifacts, options: CheckOptions): Promise<CheckedStore> {
  const { store } = artifacts
  const format = await formatOf(store)
  const stages = await readStages(store, format.value, options)
  // Blobs are listed after the manifests, because they are written before them.
  const blobs = new Map((await store.list('blobs/sha256/')).map((object) => [object.path, object]))
  const contents = options.readData ? await wrongBlobs(store, [...blobs.values()]) : undefined
  const records = await readRecords(store)
  const purged = await purgedDigests(store)
  const { signers = [], signedRuns } = options
  const signed = await readSignatures(store, stages, signers)
  const reports = await checkReports(store, records, options)
  const suspicions = [
    ...format.suspicions,
    ...[...stages.values()].flatMap((stage) =>
      suspectStage(stage, stages, { blobs, purged }, contents?.wrong, options),
    ),
    ...suspectAttachments(records.runs, blobs, contents?.wrong),
    ...orphans(contents?.wrong ?? new Map(), { stages, runs: records.runs }, options, blobs),
    ...records.suspicions,
    ...signed.suspicions,
    ...reports.suspicions,
    ...(await checkSweeps(store, records.runs)),
    ...(await checkLedgers(store, { blobs, purged })),
  ]
  const confirmed = (
    await mapConcurrently(suspicions, async (one) => ((await isConfirmed(store, one)) ? [one] : []))
  ).flat()
  const users = usersOf(records.runs)
  const damages = (isInUse: boolean) =>
    confirmed.filter((one) => (one.isInUse ?? false) === isInUse).map((one) => damageOf(one, users))
  return {
    runs: records.runs.size,
    stages: stages.size,
    blobs: blobs.size,
    read: contents?.read ?? 0,
    damage: damages(false),
    inUse: damages(true),
    signatures: [...signed.signers.values()].flat().length + reports.signatures,
    ...(signers.length > 0 && {
      demanded: demandSignatures(wantedRuns(records.runs, signedRuns), stages, signed.signers, signers),
    }),
  }
}

/** The runs with these ids. Throws a UserError for an id that has no valid record. */
function wantedRuns(
  runs: ReadonlyMap<string, RunRecord>,
  wanted: readonly string[] = [...runs.keys()],
): ReadonlyMap<string, RunRecord> {
  const found = wanted.map((id) => {
    const run = runs.get(id)
    if (!run) throw new UserError(`--run: the store has no run '${id}' whose record can be read`)
    return [id, run] as const
  })
  return new Map(found)
}

/** Deletes the damaged objects that can be computed again, and returns their paths. */
export async function deleteDamage(
  store: ObjectStore,
  damage: readonly Damage[],
): Promise<readonly string[]> {
  const paths = [...new Set(damage.flatMap(({ drop }) => drop))]
  // A manifest is deleted before its blobs: an interruption leaves no manifest without blobs.
  const blobsLast = [...paths].sort((a, b) => Number(isBlob(a)) - Number(isBlob(b)))
  for (const path of blobsLast) await store.delete(path)
  return blobsLast
}

const isBlob = (path: string) => path.startsWith('blobs/')

async function formatOf(
  store: ObjectStore,
): Promise<{ value: StoreFormat | undefined; suspicions: readonly Suspicion[] }> {
  try {
    return { value: await readFormat(store), suspicions: [] }
  } catch (error) {
    if (!(error instanceof UserError) || error instanceof LaterFormatError) throw error
    const path = 'store.json'
    const evidence = [{ path, found: await hashOfObject(store, path) }]
    const remedy = 'put back a copy of it'
    // Which manifests may lack a digest is unknown, so all that lack one are reported.
    return {
      value: { format: 1, undigested: [] },
      suspicions: [{ path, what: error.message, remedy, drop: [], evidence }],
    }
  }
}

const manifestName = /^stages\/([a-z]+)\/([0-9a-f]{64})\/manifest\.json$/
const signatureName = /^(stages\/[a-z]+\/[0-9a-f]{64}\/)signatures\//
const leaseName = /^(stages\/[a-z]+\/[0-9a-f]{64}\/)lease\/\d+\.json$/

async function readStages(
  store: ObjectStore,
  format: StoreFormat | undefined,
  { now, grace }: CheckOptions,
): Promise<ReadonlyMap<string, ReadStage>> {
  const objects = await store.list('stages/')
  const leased = new Set(
    objects.flatMap(({ path, modified }) =>
      modified > now - grace ? (leaseName.exec(path)?.slice(1) ?? []) : [],
    ),
  )
  const signatures = pathsBy(signatureName, objects)
  const stages = await mapConcurrently(
    objects.filter(({ path }) => manifestName.test(path)),
    async ({ path, modified }) => {
      const bytes = await store.get(path)
      if (!bytes) return []
      const [, kind = '', key = ''] = manifestName.exec(path) ?? []
      const ref: StageRef = { kind: kind as StageKind, key }
      const read = readManifest(bytes, ref)
      const isRefused = 'hasDigest' in read && !read.hasDigest && !mayLackDigest(format, key)
      const stage: ReadStage = {
        ...{ ref, path, modified, sha256: sha256(bytes), hasFreshLease: leased.has(stageFolder(ref)) },
        signatures: signatures.get(stageFolder(ref)) ?? [],
        ...('flaw' in read
          ? { flaw: read.flaw }
          : { manifest: withoutMetrics(read.manifest), digest: manifestDigest(read.manifest) }),
        ...(isRefused && { flaw: 'its digest was removed: store.json does not list it among older ones' }),
      }
      return [[key, stage] as const]
    },
  )
  return new Map(stages.flat())
}

/** Verifies the signatures of all intact stages. Maps the key of a stage to its signers. */
async function readSignatures(
  store: ObjectStore,
  stages: ReadonlyMap<string, ReadStage>,
  keys: readonly PublicKey[],
) {
  const found = await mapConcurrently([...stages.values()], async (stage) => {
    const { ref, path, sha256, manifest, digest, flaw, signatures, hasFreshLease } = stage
    if (!manifest || digest === undefined || flaw !== undefined || signatures.length === 0) return []
    const claims = stageClaims({ ...ref, digest, outputs: manifest.outputs })
    const about = { stage: ref.key, isInUse: hasFreshLease, evidence: [{ path, found: sha256 }] }
    return [{ key: ref.key, ...(await verifySignatures(store, signatures, claims, keys, about)) }]
  })
  return {
    signers: new Map(found.flat().map(({ key, signers }) => [key, signers])),
    suspicions: found.flat().flatMap(({ suspicions }) => suspicions),
  }
}

/** Saves memory, since a store has many stages and their metrics contain curves. */
function withoutMetrics(manifest: Manifest): Manifest {
  return { ...manifest, metrics: {} } as Manifest
}

function suspectStage(
  stage: ReadStage,
  stages: ReadonlyMap<string, ReadStage>,
  {
    blobs,
    purged,
  }: { readonly blobs: ReadonlyMap<string, StoredObject>; readonly purged: ReadonlySet<string> },
  wrong: ReadonlyMap<string, string> | undefined,
  options: CheckOptions,
): readonly Suspicion[] {
  const { ref, path, manifest, flaw, hasFreshLease } = stage
  const common = { path, stage: ref.key, remedy: RECOMPUTE, isInUse: hasFreshLease }
  const own = { path, found: stage.sha256 }
  if (flaw !== undefined || !manifest)
    return [{ ...common, what: flaw ?? 'it cannot be read', drop: [path], evidence: [own] }]
  return [
    ...staleInputs(stage, manifest, stages, options),
    ...Object.entries(manifest.outputs).flatMap(([name, blob]): readonly Suspicion[] => {
      const found = blobFlaw(blob, blobs, wrong)
      if (!found || (found.evidence === undefined && purged.has(blob.sha256))) return []
      const evidence = [own, { path: blobPath(blob), found: found.evidence }]
      const drop = [path, ...(found.evidence === undefined ? [] : [blobPath(blob)])]
      return [{ ...common, what: `its output '${name}', ${blobPath(blob)}, ${found.what}`, drop, evidence }]
    }),
  ]
}

function staleInputs(
  { ref, path, sha256, hasFreshLease }: ReadStage,
  { inputs, inputDigests }: Manifest,
  stages: ReadonlyMap<string, ReadStage>,
  { now, grace }: CheckOptions,
): readonly Suspicion[] {
  return Object.entries<StageRef>(inputs).flatMap(([name, { key }]) => {
    const input = stages.get(key)
    if (input?.digest === undefined || input.digest === inputDigests[name]) return []
    const what =
      `it was computed from another result of its input '${name}' than ${input.path}: from ${inputDigests[name] ?? 'none'}, ` +
      `and the store has ${input.digest}`
    return [
      {
        ...{ path, stage: ref.key, what, remedy: RECOMPUTE, drop: [path] },
        evidence: [
          { path, found: sha256 },
          { path: input.path, found: input.sha256 },
        ],
        // A run that has just computed the input again will compute this stage next.
        isInUse: hasFreshLease || input.hasFreshLease || input.modified > now - grace,
      },
    ]
  })
}

function blobFlaw(
  blob: BlobRef,
  blobs: ReadonlyMap<string, StoredObject>,
  wrong: ReadonlyMap<string, string> | undefined,
): { readonly what: string; readonly evidence: string | number | undefined } | undefined {
  const path = blobPath(blob)
  const there = blobs.get(path)
  if (!there) return { what: 'is missing', evidence: undefined }
  if (there.bytes !== blob.bytes)
    return { what: `has ${there.bytes} bytes, expected ${blob.bytes}`, evidence: there.bytes }
  const content = wrong?.get(path)
  if (content === undefined) return undefined
  return { what: `has contents with the SHA-256 ${content}`, evidence: content }
}

/** The blobs whose contents do not have the SHA-256 in their names: their real SHA-256, by path. */
async function wrongBlobs(
  store: ObjectStore,
  blobs: readonly StoredObject[],
): Promise<{ readonly wrong: ReadonlyMap<string, string>; readonly read: number }> {
  const wrong = new Map<string, string>()
  let read = 0
  // One at a time, because blobs may be large.
  for (const { path } of blobs) {
    const found = await store.getHashed(path)
    if (!found) continue
    read += found.bytes.length
    if (!path.endsWith(`/${found.sha256}`)) wrong.set(path, found.sha256)
  }
  return { wrong, read }
}

/** The attachments of runs that the store lacks, or that are damaged. */
function suspectAttachments(
  runs: ReadonlyMap<string, RunRecord>,
  blobs: ReadonlyMap<string, StoredObject>,
  wrong: ReadonlyMap<string, string> | undefined,
): readonly Suspicion[] {
  return [...runs].flatMap(([run, { plan }]) =>
    attachmentsOf(plan).flatMap((blob): readonly Suspicion[] => {
      const found = blobFlaw(blob, blobs, wrong)
      if (!found) return []
      const path = blobPath(blob)
      return [
        {
          ...{ path, run, what: `the plug-in that the run needs ${found.what}` },
          remedy: 'run the same command again where the source of the plug-in is, which writes it again',
          drop: found.evidence === undefined ? [] : [path],
          evidence: [{ path, found: found.evidence }],
        },
      ]
    }),
  )
}

/**
 * The damaged blobs that no manifest and no run names. A young one may belong to a stage being
 * stored.
 */
function orphans(
  wrong: ReadonlyMap<string, string>,
  {
    stages,
    runs,
  }: {
    readonly stages: ReadonlyMap<string, ReadStage>
    readonly runs: ReadonlyMap<string, RunRecord>
  },
  { now, grace }: CheckOptions,
  blobs: ReadonlyMap<string, StoredObject>,
): readonly Suspicion[] {
  const outputs = [...stages.values()].flatMap(({ manifest }) => Object.values(manifest?.outputs ?? {}))
  const attached = [...runs.values()].flatMap(({ plan }) => attachmentsOf(plan))
  const named = new Set([...outputs, ...attached].map(blobPath))
  return [...wrong].flatMap(([path, found]) =>
    named.has(path)
      ? []
      : [
          {
            path,
            what: `its contents have the SHA-256 ${found}, and no manifest names it`,
            remedy: 'nothing needs it',
            drop: [path],
            evidence: [{ path, found }],
            isInUse: (blobs.get(path)?.modified ?? 0) > now - grace,
          },
        ],
  )
}

/** The ids of the runs that need a stage, by the key of the stage. */
function usersOf(runs: ReadonlyMap<string, RunRecord>): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, string[]>()
  for (const [id, { plan }] of runs)
    for (const { key } of stagesOf(plan)) {
      const known = users.get(key)
      if (known) known.push(id)
      else users.set(key, [id])
    }
  return users
}

function damageOf(
  { path, what, remedy, drop, stage, run }: Suspicion,
  users: ReadonlyMap<string, readonly string[]>,
): Damage {
  const runs = run === undefined ? (users.get(stage ?? '') ?? []) : [run]
  return { path, what, remedy, drop, runs }
}

async function isConfirmed(store: ObjectStore, { evidence }: Suspicion): Promise<boolean> {
  for (const { path, found } of evidence) {
    const now = typeof found === 'string' ? await hashOfObject(store, path) : await store.size(path)
    if (now !== found) return false
  }
  return true
}

async function hashOfObject(store: ObjectStore, path: string): Promise<string | undefined> {
  return (await store.getHashed(path))?.sha256
}
