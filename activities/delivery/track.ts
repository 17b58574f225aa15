import type { Artifacts } from '../../artifacts/artifacts.ts'
import { jsonBytes } from '../../common/json.ts'
import { runFolder, sweepFolder } from '../../artifacts/format/layout.ts'
import type { RunEnd, RunRecord } from '../../experiment/records/run.ts'
import type { Settings } from '../../experiment/spec/settings.ts'
import type { SweepRecord } from '../../experiment/sweep/sweep.ts'
import { isApproximate, results, resultsBySeed } from '../../report/results.ts'
import { contentsOf, type RunContents } from '../../tracking/contents.ts'
import { deliver, type Delivered } from '../../tracking/deliver.ts'
import { MlflowClient } from '../../tracking/mlflow.ts'
import { cellOf, experimentOf, sweepContents, type TrackedEnd } from '../../tracking/sweep-contents.ts'
import { manifestsOf } from '../report.ts'
import {
  claims,
  getJson,
  identity,
  knownIdentity,
  ledger,
  placeOf,
  putJson,
  reportFiles,
  type Folder,
  type KeptFile,
} from './delivery-ledger.ts'

export type Tracking = NonNullable<Settings['tracking']>

/**
 * Sends the results that the store has of a run to its MLflow server. `ended` says how the run
 * ended, and is recorded in the store; without it the run is active, and the record of an earlier
 * end is removed. `sweep` is the id of the sweep that the run belongs to. A run that belongs to
 * several sweeps is shown below the first one.
 */
export async function track(
  artifacts: Artifacts,
  {
    run,
    tracking,
    sweep,
    ended,
  }: { run: RunRecord; tracking: Tracking; sweep?: string | undefined; ended?: RunEnd | undefined },
): Promise<Delivered> {
  const path = placeOf(folderOf(run), 'ended')
  if (ended) await putJson(artifacts, path, ended)
  else await artifacts.store.delete(path)
  return deliverRun(artifacts, run, tracking, sweep, ended)
}

/** Sends a run to MLflow as `track` does, but takes from the store how it ended. */
export async function trackStored(
  artifacts: Artifacts,
  run: RunRecord,
  tracking: Tracking,
  sweep?: string,
): Promise<Delivered> {
  return deliverRun(artifacts, run, tracking, sweep, await storedEnd(artifacts, run))
}

/**
 * Returns how a run ended, or undefined if it has not ended. The end of a tracked run is recorded
 * in the store. The end of another run is derived from its report.
 */
export async function storedEnd(artifacts: Artifacts, run: RunRecord): Promise<RunEnd | undefined> {
  const kept = await keptEnd(artifacts, run)
  const isTracked = run.settings?.tracking && (await knownIdentity(artifacts, folderOf(run)))
  if (kept || isTracked) return kept
  const ended = await endOf(artifacts, run)
  // This delivery makes the run a tracked one, whose end has to be recorded.
  if (ended && run.settings?.tracking) await putJson(artifacts, placeOf(folderOf(run), 'ended'), ended)
  return ended
}

function keptEnd(artifacts: Artifacts, run: RunRecord): Promise<RunEnd | undefined> {
  return getJson<RunEnd>(artifacts, placeOf(folderOf(run), 'ended'))
}

/** Whether the run was sent to its end as a run of a sweep. */
export async function isSentAsCell(artifacts: Artifacts, run: RunRecord): Promise<boolean> {
  const isCell = (await sweepOf(artifacts, run)) !== undefined
  return isCell && (await keptEnd(artifacts, run)) !== undefined
}

/** Derives from the report how a run ended. Returns undefined if it has not ended. */
async function endOf(artifacts: Artifacts, run: RunRecord): Promise<RunEnd | undefined> {
  const hasReport = (await reportDigest(artifacts, run.id)) !== undefined
  if (!run.failed && !hasReport) return undefined
  const finished = Object.values(await manifestsOf(artifacts, run)).map(({ clock }) =>
    Date.parse(clock.finishedAt),
  )
  return { status: hasReport ? 'FINISHED' : 'FAILED', at: Math.max(0, ...finished) }
}

async function deliverRun(
  artifacts: Artifacts,
  run: RunRecord,
  tracking: Tracking,
  requestedSweep: string | undefined,
  ended: RunEnd | undefined,
): Promise<Delivered> {
  const folder = folderOf(run)
  const manifests = await manifestsOf(artifacts, run)
  // Only the record in the store says what failed.
  const { failed = [] } = (await artifacts.run(run.id)) ?? run
  const id = await sweepOf(artifacts, run, requestedSweep)
  const sweep = id === undefined ? undefined : await artifacts.sweep(id)
  const experiment = sweep ? experimentOf(sweep) : (tracking.experiment ?? run.spec.name)
  const report = ended ? await reportFiles(artifacts, folder) : []
  const input = { run, manifests, failed }
  const contents = contentsOf({
    run: { ...run, failed },
    rows: resultsBySeed(input),
    manifests,
    digest: await reportDigest(artifacts, run.id),
    ...(await identity(artifacts, folder)),
    ended,
    files: report.map(({ file }) => file),
    register: tracking.register ? experiment : undefined,
    cell: sweep && { ...cellOf(sweep, run.id), rows: results(input).filter(isApproximate) },
  })
  return deliver(
    clientOf(tracking),
    experiment,
    contents,
    await ledger(artifacts, folder, report),
    sweep && {
      content: await storedSweep(artifacts, sweep, []),
      ledger: claims(artifacts, folderOfSweep(sweep)),
    },
  )
}

/** Returns the first sweep that a run belonged to, and records `requested` if there is none yet. */
async function sweepOf(
  artifacts: Artifacts,
  run: RunRecord,
  requested?: string,
): Promise<string | undefined> {
  const path = placeOf(folderOf(run), 'sweep')
  const known = await getJson<{ readonly sweep: string }>(artifacts, path)
  if (known || requested === undefined) return known?.sweep
  await artifacts.store.putIfAbsent(path, jsonBytes({ sweep: requested }))
  return sweepOf(artifacts, run, requested)
}

/** Reads from the store what MLflow shows of a sweep itself. */
export async function storedSweep(
  artifacts: Artifacts,
  sweep: SweepRecord,
  files: readonly KeptFile[],
): Promise<RunContents> {
  const folder = folderOfSweep(sweep)
  return sweepContents({
    sweep,
    ...(await sweepState(artifacts, sweep)),
    ...(await identity(artifacts, folder)),
    files: files.map(({ file }) => file),
  })
}

/** Whether a sweep is active, and all its ends: it may be resumed several times. */
export interface SweepState {
  readonly isRunning: boolean
  readonly ends: readonly TrackedEnd[]
}

export async function sweepState(artifacts: Artifacts, sweep: SweepRecord): Promise<SweepState> {
  const kept = await getJson<SweepState>(artifacts, placeOf(folderOfSweep(sweep), 'ends'))
  return kept ?? { isRunning: true, ends: [] }
}

const folderOf = ({ id }: RunRecord): Folder => runFolder(id)
export const folderOfSweep = ({ id }: SweepRecord): Folder => sweepFolder(id)

export function clientOf({ uri }: Tracking): MlflowClient {
  return new MlflowClient(uri, { retries: 2, retryAfter: 200 })
}

async function reportDigest(artifacts: Artifacts, run: string): Promise<string | undefined> {
  const json = await artifacts.reportJson(run)
  return json === undefined ? undefined : (JSON.parse(json) as { readonly digest: string }).digest
}
