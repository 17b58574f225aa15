import { z } from 'zod'
import { digestOf } from '../../common/canonical.ts'
import { mapConcurrently } from '../../common/concurrency.ts'
import { UserError } from '../../common/errors.ts'
import { parseJson } from '../../common/json.ts'
import { attachmentsOf, pluginsIn } from '../../experiment/plan/attachments.ts'
import type { BlobRef } from '../../experiment/records/manifest.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import { heartbeatSecondsOf } from '../../experiment/spec/durability.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { stageKinds } from '../../experiment/stages/stage.ts'
import { stageFolder } from '../format/layout.ts'
import { recordFlaw } from '../format/read-record.ts'
import type { ObjectStore, StoredObject } from '../store/object-store.ts'
import { newestDate } from '../store/store-clock.ts'

/** A folder of a run or a sweep. */
interface RecordFolder {
  readonly id: string
  readonly objects: readonly StoredObject[]
  /**
   * The newest date of its record and its report, in milliseconds since 1970 by the store's clock.
   */
  readonly date: number
  /** The date of its record by the same clock. It is undefined if the record is missing. */
  readonly written: number | undefined
}

/** A folder of `runs/`, as far as it decides what is kept and removed. */
export interface StoredRun extends RecordFolder {
  /** The name of the experiment. It is empty if the run has no valid record. */
  readonly name: string
  /**
   * The folders of the stages that the run needs. If they are unknown, this is undefined, and no
   * stage and no blob can count as unused.
   */
  readonly stages: ReadonlySet<string> | undefined
  /** The SHA-256s of the blobs that the run needs and no stage makes. */
  readonly attachments: ReadonlySet<string>
  /** Whether the run was started by itself, not only as a cell of a sweep. */
  readonly isOwn: boolean
  /** The heartbeat interval of the attempts that compute its stages. */
  readonly heartbeatSeconds: number
  /** Why the record is not valid. The stages then come from the report, if they are known. */
  readonly flaw?: string
}

/** A folder of `sweeps/`, as far as it decides what is kept and removed. */
export interface StoredSweep extends RecordFolder {
  readonly name: string
  /** The ids of the runs of its cells. It is undefined if the record is not valid. */
  readonly runs: ReadonlySet<string> | undefined
}

export type StoredRuns = ReadonlyMap<string, StoredRun>
export type StoredSweeps = ReadonlyMap<string, StoredSweep>

/** Reads all runs of a store, by their ids. */
export function readRuns(store: ObjectStore): Promise<StoredRuns> {
  return readFolders(store, 'runs', 'run.json', async (folder, bytes): Promise<StoredRun> => {
    const { id, objects } = folder
    const isOwn = objects.some(({ path }) => path === `runs/${id}/own.json`)
    const record = bytes && parseJson(bytes)
    const flaw = bytes ? recordFlaw(record, id) : 'it is missing'
    if (flaw !== undefined) {
      const needs = needsInReport(id, await store.get(`runs/${id}/report/report.json`))
      return { ...folder, isOwn, name: '', ...needs, heartbeatSeconds: heartbeatSecondsOf({}), flaw }
    }
    const { spec, plan, settings = {} } = record as RunRecord
    const stages = new Set(stagesOf(plan).map(stageFolder))
    const attachments = digestsOf(attachmentsOf(plan))
    const heartbeatSeconds = heartbeatSecondsOf(settings)
    return { ...folder, isOwn, name: spec.name, stages, attachments, heartbeatSeconds }
  })
}

/** Reads all sweeps of a store, by their ids. */
export function readSweeps(store: ObjectStore): Promise<StoredSweeps> {
  return readFolders(store, 'sweeps', 'sweep.json', (folder, bytes): StoredSweep => {
    const { data } = sweepSchema.safeParse(bytes && parseJson(bytes))
    const record = data?.id === folder.id ? data : undefined
    const runs = record && new Set(record.cells.flatMap((cell) => cell.runs))
    return { ...folder, name: record?.name ?? '', runs }
  })
}

const sweepSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  cells: z.array(z.looseObject({ runs: z.array(z.string()) })),
})

/**
 * Reads the folders of runs or sweeps. `read` gets the bytes of the record, if there is one. A
 * folder whose record was deleted after the listing is left out.
 */
async function readFolders<T>(
  store: ObjectStore,
  kind: 'runs' | 'sweeps',
  record: string,
  read: (folder: RecordFolder, bytes: Uint8Array | undefined) => T | Promise<T>,
): Promise<ReadonlyMap<string, T>> {
  const folders = foldersOf(kind, await store.list(`${kind}/`))
  const found = await mapConcurrently(
    [...folders],
    async ([id, objects]): Promise<readonly [string, T][]> => {
      const path = `${kind}/${id}/${record}`
      const written = dateOfObject(objects, path)
      const bytes = written === undefined ? undefined : await store.get(path)
      if (written !== undefined && !bytes) return []
      return [[id, await read({ id, objects, date: dateOf(objects, path), written }, bytes)]]
    },
  )
  return new Map(found.flat())
}

/** The runs whose stages are unknown. */
export function unknownRuns(runs: StoredRuns): readonly StoredRun[] {
  return [...runs.values()].filter(({ stages }) => stages === undefined)
}

/**
 * Throws a UserError if the stages of a run are unknown, so that it may need any stage and blob.
 */
export function refuseUnknown(store: ObjectStore, runs: StoredRuns): void {
  const unknown = unknownRuns(runs)
  if (unknown.length > 0) throw new UserError(unknown.map((run) => ({ message: whyUnknown(store, run) })))
}

/** Why the stages of a run are unknown, and what to do about it. */
export function whyUnknown(store: ObjectStore, { id, flaw = '' }: StoredRun): string {
  return (
    `${store.locate(`runs/${id}/run.json`)} is not the record of a run (${flaw}), and the folder has no report.json that lists the ` +
    "run's stages: what the run needs is unknown, so nothing can be called unused. Run the same experiment again, remove the " +
    `run by \`./zeroshift rm ${id} --delete\`, or delete its folder`
  )
}

const reportSchema = z.object({
  computed: z.looseObject({
    spec: z.looseObject({ name: z.string() }),
    stages: z.array(z.object({ kind: z.enum(stageKinds), key: z.string().regex(/^[0-9a-f]{64}$/) })).min(1),
  }),
  digest: z.string(),
})

type Needs = Pick<StoredRun, 'stages' | 'attachments'>
const unknownNeeds: Needs = { stages: undefined, attachments: new Set() }

/**
 * The stages that a run's report lists, and the attachments that its spec names. These are all
 * stages of its plan, failed ones included. They are unknown if the report was changed, or if its
 * experiment does not have the name that is in the id of the run.
 */
function needsInReport(id: string, bytes: Uint8Array | undefined): Needs {
  const value = bytes && parseJson(bytes)
  const { data } = reportSchema.safeParse(value)
  if (!data) return unknownNeeds
  // The digest covers the whole value. The schema leaves out the fields that it does not know.
  if (digestOf((value as { readonly computed: unknown }).computed) !== data.digest) return unknownNeeds
  const { spec, stages } = data.computed
  if (id.replace(/[0-9a-f]{8}$/, '') !== `${spec.name}-`) return unknownNeeds
  return {
    stages: new Set(stages.map(stageFolder)),
    attachments: digestsOf(pluginsIn(spec)),
  }
}

function digestsOf(blobs: readonly BlobRef[]): ReadonlySet<string> {
  return new Set(blobs.map(({ sha256 }) => sha256))
}

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
 * The newest date of a record and its report. Other objects in the folder, such as those of a
 * delivery to a tracking server, do not change the date.
 */
function dateOf(objects: readonly StoredObject[], record: string): number {
  return newestDate(objects.filter(({ path }) => path === record || path.split('/')[2] === 'report'))
}

/** The date of an object in a listing. Returns undefined if it is not there. */
export function dateOfObject(objects: readonly StoredObject[], path: string): number | undefined {
  return objects.find((object) => object.path === path)?.modified
}
