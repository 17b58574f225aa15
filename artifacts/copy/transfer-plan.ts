import type { BlobRef } from '../../experiment/records/manifest.ts'
import { blobPath } from '../format/layout.ts'
import type {
  ContainedReport,
  ContainedRun,
  ContainedStage,
  ContainedSweep,
  Flaw,
  VerifiedObject,
  StoreContents,
} from './contained.ts'

/** The store whose results stay if two stores have different results of the same stage. */
export type Keep = 'target' | 'source'

/**
 * The objects that are copied from one store into another, and the results that one of them loses.
 */
export interface TransferPlan {
  readonly blobs: readonly BlobRef[]
  /** Stages in groups. The inputs of a group are in earlier groups or in the target. */
  readonly stages: readonly (readonly ContainedStage[])[]
  readonly runs: readonly ContainedRun[]
  readonly sweeps: readonly ContainedSweep[]
  /** Signatures of stages and reports that the target has without these signatures. */
  readonly signatures: readonly VerifiedObject[]
  /** The ids of runs that were started by themselves in the source, but not in the target. */
  readonly own: readonly string[]
  /** Tags and notes of runs that the target has without any. */
  readonly labels: readonly VerifiedObject[]
  /** The objects that the target has already. */
  readonly present: {
    readonly blobs: readonly BlobRef[]
    readonly stages: number
    readonly runs: number
    readonly sweeps: number
    readonly signatures: number
  }
  readonly conflict: Conflict
}

/**
 * The results that one store has to give up, because the other one has or used different results.
 */
export interface Conflict {
  /** Each stage comes before its inputs. */
  readonly stages: readonly ContainedStage[]
  readonly runs: readonly string[]
  readonly sweeps: readonly string[]
}

/** The flaws of a store, except in the contents of blobs. Pure. */
export function flawsOf({ stages, blobs, flaws }: StoreContents): readonly Flaw[] {
  const ofStages = [...stages.values()].flatMap(
    ({ manifest: { path }, inputs, outputs }): readonly Flaw[] => [
      ...inputs.flatMap(({ ref, digest }) => {
        const input = stages.get(ref.key)
        if (!input || input.digest === digest) return []
        return [{ path, what: `it was computed from another result of ${ref.kind} ${ref.key}` }]
      }),
      ...outputs.flatMap((blob) => {
        const bytes = blobs.get(blobPath(blob))
        if (bytes === blob.bytes) return []
        const what = bytes === undefined ? 'is missing' : `has ${bytes} bytes, expected ${blob.bytes}`
        return [{ path: blobPath(blob), what: `the blob ${what}` }]
      }),
    ],
  )
  return [...flaws, ...ofStages]
}

/**
 * Plans the transfer from an intact store into another one. Pure. If both have the same stage, run
 * or sweep without a conflict, that of the target stays, unless the source has more results of the
 * run or the sweep.
 */
export function planTransfer(source: StoreContents, target: StoreContents, keep: Keep): TransferPlan {
  const conflict =
    keep === 'target'
      ? findConflict(source, statedDigests(target))
      : findConflict(target, statedDigests(source))
  const lost = {
    stages: new Set(conflict.stages.map(({ ref }) => ref.key)),
    runs: new Set(conflict.runs),
    sweeps: new Set(conflict.sweeps),
  }
  const leftOut = keep === 'target' ? lost : noLosses
  const dropped = keep === 'source' ? lost : noLosses

  const stages = [...source.stages.values()].filter(({ ref }) => !leftOut.stages.has(ref.key))
  const isNew = ({ ref }: ContainedStage) => !target.stages.has(ref.key) || dropped.stages.has(ref.key)
  const runs = [...source.runs.values()].filter(({ id }) => !leftOut.runs.has(id))
  const newRuns = runs.filter((run) => {
    const there = target.runs.get(run.id)
    if (!there) return true
    const { report: _, ...withoutReport } = there
    return isMore(knownOfRun(run), knownOfRun(dropped.runs.has(run.id) ? withoutReport : there))
  })
  const sweeps = [...source.sweeps.values()].filter(({ id }) => !leftOut.sweeps.has(id))
  const newSweeps = sweeps.filter((sweep) => {
    const there = target.sweeps.get(sweep.id)
    if (!there) return true
    const hasReport = there.hasReport && !dropped.sweeps.has(sweep.id)
    return isMore(knownOfSweep(sweep), knownOfSweep({ ...there, hasReport }))
  })
  // A command writes the attachments after the record, so that a store may lack them.
  const attached = runs
    .flatMap(({ attachments }) => attachments)
    .filter((blob) => source.blobs.get(blobPath(blob)) === blob.bytes)
  const blobs = [
    ...new Map(
      [...stages.flatMap(({ outputs }) => outputs), ...attached].map(
        (blob) => [blobPath(blob), blob] as const,
      ),
    ).entries(),
  ]
  const isThere = ([path, { bytes }]: readonly [string, BlobRef]) => target.blobs.get(path) === bytes
  const newStages = stages.filter(isNew)
  const isNewRun = new Set(newRuns)
  const oldRuns = runs.filter((run) => !isNewRun.has(run))
  const signatures = [
    ...stages
      .filter((stage) => !isNew(stage))
      .map((stage) => compareSignatures(stage, target.stages.get(stage.ref.key))),
    ...oldRuns.map(({ id, report }) => compareSignatures(report, target.runs.get(id)?.report)),
  ]
  return {
    blobs: blobs.filter((blob) => !isThere(blob)).map(([, blob]) => blob),
    stages: inputsFirst(newStages),
    runs: newRuns,
    sweeps: newSweeps,
    signatures: signatures.flatMap(({ missing }) => missing),
    own: oldRuns.filter(({ id, isOwn }) => isOwn && target.runs.get(id)?.isOwn === false).map(({ id }) => id),
    labels: oldRuns.flatMap(({ id, labels }) =>
      labels && target.runs.get(id)?.labels === undefined ? [labels] : [],
    ),
    present: {
      blobs: blobs.filter(isThere).map(([, blob]) => blob),
      stages: stages.length - newStages.length,
      runs: runs.length - newRuns.length,
      sweeps: sweeps.length - newSweeps.length,
      signatures: signatures.reduce((sum, { there }) => sum + there, 0),
    },
    conflict,
  }
}

const noLosses = { stages: new Set<string>(), runs: new Set<string>(), sweeps: new Set<string>() }

type Signed = Pick<ContainedStage | ContainedReport, 'digest' | 'signatures'>

/**
 * The signatures of a result that both stores have. A valid signature of the target stays if the
 * source has one by the same key.
 */
function compareSignatures(
  source: Signed | undefined,
  target: Signed | undefined,
): { readonly missing: readonly VerifiedObject[]; readonly there: number } {
  if (!source || source.digest !== target?.digest) return { missing: [], there: 0 }
  const has = new Set(target?.signatures.map(({ path }) => path))
  const missing = source.signatures.filter(({ path }) => !has.has(path))
  return { missing, there: source.signatures.length - missing.length }
}

/** Numbers to compare two records of a run: the stages in the report, and minus the failed ones. */
function knownOfRun({ report, failed }: ContainedRun): readonly number[] {
  return [report ? report.digests.size : -1, -failed]
}

function knownOfSweep({ cells, hasReport, failures }: ContainedSweep): readonly number[] {
  return [cells, Number(hasReport), -failures]
}

function isMore(one: readonly number[], other: readonly number[]): boolean {
  const place = one.findIndex((value, i) => value !== other[i])
  return place >= 0 && (one[place] ?? 0) > (other[place] ?? 0)
}

type Digests = ReadonlyMap<string, ReadonlySet<string>>

/**
 * All digests of stages that a store mentions: in manifests, as inputs of manifests and in reports.
 */
function statedDigests({ stages, runs }: StoreContents): Digests {
  const digests = new Map<string, Set<string>>()
  const say = (key: string, digest: string | undefined) => {
    if (digest === undefined) return
    const known = digests.get(key)
    if (known) known.add(digest)
    else digests.set(key, new Set([digest]))
  }
  for (const { ref, digest, inputs } of stages.values()) {
    say(ref.key, digest)
    for (const input of inputs) say(input.ref.key, input.digest)
  }
  for (const { report } of runs.values()) for (const [key, digest] of report?.digests ?? []) say(key, digest)
  return digests
}

/**
 * The part of a store that contradicts the digests of the other store: the stages with other
 * digests or other inputs, the stages that depend on them, and the runs and sweeps that contain
 * these.
 */
function findConflict({ stages, runs, sweeps }: StoreContents, others: Digests): Conflict {
  const differs = (key: string, digest: string | undefined) => {
    const other = others.get(key)
    return other !== undefined && digest !== undefined && (other.size > 1 || !other.has(digest))
  }
  const lost = new Set<string>()
  const inOrder = inputsFirst([...stages.values()]).flat()
  for (const { ref, digest, inputs } of inOrder) {
    const isLost =
      differs(ref.key, digest) ||
      inputs.some((input) => lost.has(input.ref.key) || differs(input.ref.key, input.digest))
    if (isLost) lost.add(ref.key)
  }
  const isOther = ({ digests }: ContainedReport) => [...digests].some(([key, digest]) => differs(key, digest))
  const lostRuns = [...runs.values()]
    .filter(
      ({ stages, report }) =>
        stages.some(({ key }) => lost.has(key)) || (report !== undefined && isOther(report)),
    )
    .map(({ id }) => id)
  const isLostRun = new Set(lostRuns)
  return {
    stages: inOrder.filter(({ ref }) => lost.has(ref.key)).reverse(),
    runs: lostRuns,
    sweeps: [...sweeps.values()]
      .filter(({ runs }) => runs.some((run) => isLostRun.has(run)))
      .map(({ id }) => id),
  }
}

/** Stages in groups, so that the inputs of each stage are in earlier groups. */
function inputsFirst(stages: readonly ContainedStage[]): ContainedStage[][] {
  const waiting = new Map<string, number>()
  const users = new Map<string, ContainedStage[]>()
  const here = new Set(stages.map(({ ref }) => ref.key))
  for (const stage of stages) {
    const inputs = new Set(stage.inputs.map(({ ref }) => ref.key))
    const own = [...inputs].filter((key) => here.has(key))
    waiting.set(stage.ref.key, own.length)
    for (const key of own) {
      const known = users.get(key)
      if (known) known.push(stage)
      else users.set(key, [stage])
    }
  }
  const groups: ContainedStage[][] = []
  let group = stages.filter(({ ref }) => waiting.get(ref.key) === 0)
  while (group.length > 0) {
    groups.push(group)
    const next: ContainedStage[] = []
    for (const { ref } of group)
      for (const user of users.get(ref.key) ?? []) {
        const left = (waiting.get(user.ref.key) ?? 0) - 1
        waiting.set(user.ref.key, left)
        if (left === 0) next.push(user)
      }
    group = next
  }
  return groups
}

/** The keys of the stages whose manifests lack a digest. */
export function undigestedOf(stages: TransferPlan['stages']): readonly string[] {
  return stages.flat().flatMap(({ ref, hasDigest }) => (hasDigest ? [] : [ref.key]))
}
