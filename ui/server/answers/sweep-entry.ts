import type { SweepProgress } from '../../../experiment/sweep/sweep.ts'
import type { RunState, SweepEntry, SweepNews } from '../../contract.ts'
import type { LiveRun } from '../operations.ts'
import type { Snapshot } from '../run-reader.ts'
import type { StoredSweep } from '../store-index.ts'

/** The entry of a sweep: the store says which cells are done, Temporal whether it is running. */
export function sweepEntry(sweep: StoredSweep, { index, live, sweeps }: Snapshot): SweepEntry {
  const known = live.get(sweep.id)
  const progress = sweeps.get(sweep.id)?.progress
  const states = sweep.cells.map((runs) => index.get(runs.at(-1) ?? '')?.entry.state)
  const done = states.filter((state) => state === 'completed' || state === 'incomplete').length
  return {
    ...{ id: sweep.id, name: sweep.name, cells: sweep.cells.length },
    state: stateOf(sweep, done, known, progress),
    done: progress?.done ?? done,
    failed: progress?.failures.length ?? sweep.failed?.size ?? 0,
    ...(known && { startedAt: known.startedAt }),
    changedAt: new Date(sweep.changedAt).toISOString(),
  }
}

/** The entry of a sweep and, while it is running, its progress. */
export function sweepNews(sweep: StoredSweep, snapshot: Snapshot): SweepNews {
  const live = snapshot.sweeps.get(sweep.id)
  return { entry: sweepEntry(sweep, snapshot), ...(live && { progress: live.progress }) }
}

function stateOf(
  { failed, cells }: StoredSweep,
  done: number,
  live: LiveRun | undefined,
  progress: SweepProgress | undefined,
): RunState {
  switch (live?.state) {
    case 'running':
      return progress?.paused ? 'paused' : 'running'
    case 'failed':
    case 'cancelled':
      return live.state
    case 'completed':
    case undefined:
      if (failed === undefined) return done === cells.length ? 'completed' : 'interrupted'
      return failed.size > 0 ? 'incomplete' : 'completed'
  }
}
