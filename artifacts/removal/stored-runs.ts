import { z } from 'zod'
import { digestOf } from '../../common/canonical.ts'
import { heartbeatSecondsOf } from '../../experiment/spec/durability.ts'
import { UserError } from '../../common/errors.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { stageKinds } from '../../experiment/stages/stage.ts'
import type { SweepRecord } from '../../experiment/sweep/sweep.ts'
import { stageFolder } from '../format/layout.ts'
import { pooled } from '../../common/concurrency.ts'
import { recordFlaw } from '../format/read-record.ts'
import { newestDate } from '../store/store-clock.ts'
import type { ObjectStore, StoredObject } from '../store/object-store.ts'

/** A folder of `runs/`, as far as the life of a store is concerned. */
export interface StoredRun {
  readonly id: string
  readonly objects: readonly StoredObject[]
  /** The newest of `run.json` and the report, in milliseconds since 1970 by the store's clock. */
  readonly date: number
  /** The date of `run.json`, likewise; undefined where it is missing. */
  readonly written: number | undefined
  /** Empty where it has no record that can be read. */
  readonly name: string
  /**
   * The folders of the stages that it needs. undefined: unknown, so that no stage and no blob can
   * be called unused.
   */
  readonly stages: ReadonlySet<string> | undefined
  /** Somebody asked for this run itself, not only as a cell of a sweep. */
  readonly isOwn: boolean
  /** How often those that compute it show life. */
  readonly heartbeatSeconds: number
  /** Why its record cannot be used; its report has the stages then, or nothing has. */
  readonly flaw?: string
}

/** A folder of `sweeps/`, likewise. */
export interface StoredSweep {
  readonly id: string
  readonly objects: readonly StoredObject[]
  /** The newest of `sweep.json` and the report. */
  readonly date: number
  /** The date of `sweep.json`; undefined where it is missing. */
  readonly written: number | undefined
  readonly name: string
  /** Ids of the runs of its cells. undefined: its record cannot be read. */
  readonly runs: ReadonlySet<string> | undefined
}

export type StoredRuns = ReadonlyMap<string, StoredRun>
export type StoredSweeps = ReadonlyMap<string, StoredSweep>

export async function readRuns(store: ObjectStore): Promise<StoredRuns> {
  const folders = foldersOf('runs', await store.list('runs/'))
  const runs = await pooled([...folders], async ([id, objects]): Promise<readonly StoredRun[]> => {
    const path = `runs/${id}/run.json`
    const written = writtenAt(objects, path)
    const isThere = written !== undefined
    const bytes = isThere ? await store.get(path) : undefined
    // Deleted since it was listed.
    if (isThere && !bytes) return []
    const common = {
      ...{ id, objects, date: dateOf(objects, path), written },
      isOwn: objects.some((object) => object.path === `runs/${id}/own.json`),
    }
    const record = bytes && parsed(bytes)
    const flaw = bytes ? recordFlaw(record, id) : 'it is missing'
    if (flaw !== undefined) {
      const stages = stagesInReport(id, await store.get(`runs/${id}/report/report.json`))
      return [{ ...common, name: '', stages, heartbeatSeconds: heartbeatSecondsOf({}), flaw }]
    }
    const { spec, plan, settings = {} } = record as RunRecord
    const stages = new Set(stagesOf(plan).map(stageFolder))
    return [{ ...common, name: spec.name, stages, heartbeatSeconds: heartbeatSecondsOf(settings) }]
  })
  return new Map(runs.flat().map((run) => [run.id, run]))
}

export async function readSweeps(store: ObjectStore): Promise<StoredSweeps> {
  const folders = foldersOf('sweeps', await store.list('sweeps/'))
  const sweeps = await pooled([...folders], async ([id, objects]): Promise<readonly StoredSweep[]> => {
    const path = `sweeps/${id}/sweep.json`
    const written = writtenAt(objects, path)
    const isThere = written !== undefined
    const bytes = isThere ? await store.get(path) : undefined
    if (isThere && !bytes) return []
    const record = bytes && sweepRecord(parsed(bytes), id)
    const runs = record && new Set(record.cells.flatMap((cell) => cell.runs))
    return [{ id, objects, date: dateOf(objects, path), written, name: record?.name ?? '', runs }]
  })
  return new Map(sweeps.flat().map((sweep) => [sweep.id, sweep]))
}

/** Runs of which nothing tells what they need. */
export function unknownRuns(runs: StoredRuns): readonly StoredRun[] {
  return [...runs.values()].filter(({ stages }) => stages === undefined)
}

/** Throws a UserError where a run is there that may need any stage and any blob. */
export function refuseUnknown(store: ObjectStore, runs: StoredRuns): void {
  const unknown = unknownRuns(runs)
  if (unknown.length > 0) throw new UserError(unknown.map((run) => ({ message: whyUnknown(store, run) })))
}

export function whyUnknown(store: ObjectStore, { id, flaw = '' }: StoredRun): string {
  return (
    `${store.locate(`runs/${id}/run.json`)} is not the record of a run (${flaw}), and the folder has no report.json that lists the ` +
    "run's stages: what the run needs is unknown, so nothing can be called unused. Run the same experiment again, remove the " +
    `run by \`./zeroshift rm ${id} --delete\`, or delete its folder`
  )
}

const published = z.object({
  computed: z.looseObject({
    spec: z.looseObject({ name: z.string() }),
    stages: z.array(z.object({ kind: z.enum(stageKinds), key: z.string().regex(/^[0-9a-f]{64}$/) })).min(1),
  }),
  digest: z.string(),
})

/**
 * The folders of the stages that a run's report lists: all of its plan, also those that failed.
 * undefined where the report is not as it was written, or of an experiment of another name than the
 * run's id has.
 */
export function stagesInReport(id: string, bytes: Uint8Array | undefined): ReadonlySet<string> | undefined {
  const value = bytes && parsed(bytes)
  const { data } = published.safeParse(value)
  if (!data) return undefined
  // Of the value as it is there: the schema may leave out what it does not know.
  if (digestOf((value as { readonly computed: unknown }).computed) !== data.digest) return undefined
  const { spec, stages } = data.computed
  if (id.replace(/[0-9a-f]{8}$/, '') !== `${spec.name}-`) return undefined
  return new Set(stages.map(stageFolder))
}

function sweepRecord(value: unknown, id: string): SweepRecord | undefined {
  const { data } = sweepSchema.safeParse(value)
  return data?.id === id ? (value as SweepRecord) : undefined
}

const sweepSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  cells: z.array(z.looseObject({ runs: z.array(z.string()) })),
})

function foldersOf(
  kind: 'runs' | 'sweeps',
  objects: readonly StoredObject[],
): ReadonlyMap<string, readonly StoredObject[]> {
  const folders = new Map<string, StoredObject[]>()
  for (const object of objects) {
    const [, id = ''] = new RegExp(`^${kind}/([^/]+)/`).exec(object.path) ?? []
    if (id === '') continue
    const folder = folders.get(id)
    if (folder) folder.push(object)
    else folders.set(id, [object])
  }
  return folders
}

/**
 * Of its record and its report. What is delivered to a tracking server later on does not make a run
 * younger.
 */
function dateOf(objects: readonly StoredObject[], record: string): number {
  return newestDate(objects.filter(({ path }) => path === record || path.split('/')[2] === 'report'))
}

/** undefined: it is not there. */
export function writtenAt(objects: readonly StoredObject[], path: string): number | undefined {
  return objects.find((object) => object.path === path)?.modified
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}
