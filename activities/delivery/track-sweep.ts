import type { Artifacts } from '../../artifacts/artifacts.ts'
import type { Comparison } from '../../experiment/sweep/comparison.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import type { SweepEnd, SweepRecord } from '../../experiment/sweep/sweep.ts'
import { lowestGap, valueOf } from '../../report/results.ts'
import { deliver, type Delivered } from '../../tracking/deliver.ts'
import { experimentOf, type TrackedEnd } from '../../tracking/sweep-contents.ts'
import { comparisonOf } from '../comparison.ts'
import {
  clientOf,
  folderOfSweep,
  isSentAsCell,
  storedEnd,
  storedSweep,
  sweepState,
  track,
  trackStored,
  type SweepState,
  type Tracking,
} from './track.ts'
import { knownIdentity, ledger, placeOf, putJson, reportFiles } from './delivery-ledger.ts'

/**
 * Sends what the store has of a sweep to its MLflow server. `ended` says how the sweep ended, and
 * is recorded in the store. Then this also sends those runs that were complete in the store,
 * because these have no workflow of their own that sends them.
 */
export async function trackSweep(
  artifacts: Artifacts,
  { sweep, ended }: { readonly sweep: SweepRecord; readonly ended?: SweepEnd | undefined },
): Promise<Delivered> {
  const { tracking } = sweep
  if (!tracking) return combined([])
  if (ended) {
    const { counts, ...end } = ended
    const figures = { ...counts, ...lowestAverageGap(await comparisonOf(artifacts, sweep)) }
    await keepEnd(artifacts, sweep, { ...end, figures })
  } else await keepState(artifacts, sweep, { ...(await sweepState(artifacts, sweep)), isRunning: true })
  const sent = [await deliverSweep(artifacts, sweep, tracking)]
  // After a cancelled sweep, runs that others have started may continue. Their own workflows send
  // them.
  for (const run of ended && ended.status !== 'KILLED' ? await runsOf(artifacts, sweep) : []) {
    const end = (await isSentAsCell(artifacts, run)) ? undefined : await storedEnd(artifacts, run)
    if (end) sent.push(await track(artifacts, { run, tracking, sweep: sweep.id, ended: end }))
  }
  return combined(sent)
}

/**
 * Sends a sweep and all of its runs that have begun to MLflow, and takes from the store how they
 * ended.
 */
export async function trackStoredSweep(
  artifacts: Artifacts,
  sweep: SweepRecord,
  tracking: Tracking,
): Promise<Delivered> {
  const runs = await runsOf(artifacts, sweep)
  const end = sweep.tracking ? undefined : await endOf(artifacts, sweep, runs)
  if (end) await keepEnd(artifacts, sweep, end)
  const sent = [await deliverSweep(artifacts, sweep, tracking)]
  for (const run of runs) {
    const hasBegun = (await storedEnd(artifacts, run)) ?? (await knownIdentity(artifacts, `runs/${run.id}`))
    if (hasBegun) sent.push(await trackStored(artifacts, run, tracking, sweep.id))
  }
  return combined(sent)
}

async function deliverSweep(
  artifacts: Artifacts,
  sweep: SweepRecord,
  tracking: Tracking,
): Promise<Delivered> {
  const folder = folderOfSweep(sweep)
  const report = await reportFiles(artifacts, folder)
  return deliver(
    clientOf(tracking),
    experimentOf(sweep),
    [await storedSweep(artifacts, sweep, report)],
    await ledger(artifacts, folder, report),
  )
}

/** Returns the runs of all cells that have a record in the store, without duplicates. */
async function runsOf(artifacts: Artifacts, { cells }: SweepRecord): Promise<readonly RunRecord[]> {
  const runs: RunRecord[] = []
  for (const id of new Set(cells.flatMap(({ runs }) => runs))) {
    const run = await artifacts.run(id)
    if (run) runs.push(run)
  }
  return runs
}

/**
 * Derives from the report how a sweep ended that was not tracked while it ran. Returns undefined if
 * it has not ended. The number of cells that it found in the store is not known then.
 */
async function endOf(
  artifacts: Artifacts,
  sweep: SweepRecord,
  runs: readonly RunRecord[],
): Promise<TrackedEnd | undefined> {
  if (!sweep.failures) return undefined
  const comparison = await comparisonOf(artifacts, sweep)
  const outcomes = comparison.runs.flatMap(({ outcome }) => ('missing' in outcome ? [] : [outcome]))
  const decisions = comparison.halving?.decisions ?? []
  const ends = await Promise.all(runs.map((run) => storedEnd(artifacts, run)))
  return {
    status: outcomes.length === 0 && sweep.failures.length > 0 ? 'FAILED' : 'FINISHED',
    at: Math.max(0, ...ends.map((end) => end?.at ?? 0)),
    figures: {
      cells: sweep.cells.length,
      done: outcomes.length,
      incomplete: outcomes.filter(({ failed }) => failed.length > 0).length,
      stopped: decisions.filter(({ decision }) => decision === 'stopped').length,
      failed: sweep.failures.length,
      ...lowestAverageGap(comparison),
    },
  }
}

function lowestAverageGap({ runs }: Comparison): { readonly lowestAverageGap?: number } {
  const best = lowestGap(runs.flatMap(({ outcome }) => ('missing' in outcome ? [] : outcome.rows)))
  const gap = best && valueOf(best.metrics.averageGap)
  return gap === undefined ? {} : { lowestAverageGap: gap }
}

/** Records an end of a sweep. The same end may be recorded twice: it is kept once. */
async function keepEnd(artifacts: Artifacts, sweep: SweepRecord, end: TrackedEnd): Promise<void> {
  const { ends } = await sweepState(artifacts, sweep)
  const isKnown = ends.at(-1)?.at === end.at
  await keepState(artifacts, sweep, { isRunning: false, ends: isKnown ? ends : [...ends, end] })
}

async function keepState(artifacts: Artifacts, sweep: SweepRecord, state: SweepState): Promise<void> {
  await putJson(artifacts, placeOf(folderOfSweep(sweep), 'ends'), state)
}

function combined(sent: readonly Delivered[]): Delivered {
  return {
    points: sent.reduce((sum, { points }) => sum + points, 0),
    runs: sent.reduce((sum, { runs }) => sum + runs, 0),
    notes: [...new Set(sent.flatMap(({ notes }) => notes))],
  }
}
