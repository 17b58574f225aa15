import { Context } from '@temporalio/activity'
import { openArtifacts } from '../artifacts/artifacts.ts'
import {
  recordOf,
  type KeptRun,
  type RunEnd,
  type RunInput,
  type RunRecord,
  type RunResult,
} from '../experiment/run.ts'
import type { Settings } from '../experiment/spec.ts'
import type { CellFailure, CellInput, SweepEnd } from '../experiment/sweep.ts'
import type { Delivered } from '../tracking/deliver.ts'
import { asFailure } from './errors.ts'
import type { WrittenReport } from './report.ts'
import { keptCell, keptStages, recordIn, stageActivity, type KeptCell } from './stage.ts'
import type { Ended, SettledTask, SweepTask } from './sweep.ts'

export interface ReportTask {
  readonly run: RunRecord | KeptRun
  readonly settings: RunInput['settings']
  readonly failed: RunResult['failed']
}

export interface TrackTask {
  readonly run: RunRecord | KeptRun
  readonly settings: RunInput['settings']
  readonly tracking: NonNullable<Settings['tracking']>
  /** The sweep that it is a cell of. */
  readonly sweep?: string
  /** Absent while the run goes on. */
  readonly ended?: RunEnd
}

export interface TrackSweepTask extends SweepTask {
  /** Absent while the sweep goes on. */
  readonly ended?: SweepEnd
}

export type Activities = ReturnType<typeof createActivities>

/**
 * Every activity by name. Bodies load when they first run: a worker that finds all stages kept loads no TensorFlow.
 * When `stopping` aborts, long stages keep a checkpoint and hand over.
 */
export function createActivities(stopping?: AbortSignal) {
  return {
    kept: keptStages,
    dataset: stageActivity('dataset', async () => (await import('./dataset.ts')).dataset, stopping),
    split: stageActivity('split', async () => (await import('./split.ts')).split, stopping),
    checkpoint: stageActivity(
      'checkpoint',
      async () => (await import('./checkpoint.ts')).checkpoint,
      stopping,
    ),
    train: stageActivity('train', async () => (await import('./train.ts')).train, stopping),
    unlearn: stageActivity('unlearn', async () => (await import('./unlearn.ts')).unlearn, stopping),
    evaluate: stageActivity('evaluate', async () => (await import('./evaluate.ts')).evaluate, stopping),
    attack: stageActivity('attack', async () => (await import('./attack.ts')).attack, stopping),
    compare: stageActivity('compare', async () => (await import('./compare.ts')).compare, stopping),

    population: stageActivity(
      'population',
      async () => (await import('./population.ts')).population,
      stopping,
    ),
    shadow: stageActivity('shadow', async () => (await import('./shadow.ts')).shadow, stopping),
    pool: stageActivity('pool', async () => (await import('./pool.ts')).pool, stopping),
    relearn: stageActivity('relearn', async () => (await import('./relearn.ts')).relearn, stopping),
    probe: stageActivity('probe', async () => (await import('./probe.ts')).probe, stopping),
    membership: stageActivity(
      'membership',
      async () => (await import('./membership.ts')).membership,
      stopping,
    ),

    /** Keeps what was asked for and what failed, so that the report can be rendered again, and renders it. */
    async report({ run, settings, failed }: ReportTask): Promise<WrittenReport> {
      const { writeReport } = await import('./report.ts')
      return failing(async () => {
        const artifacts = openArtifacts(settings.store)
        const record = await recordIn(artifacts, run)
        await artifacts.putRun({ ...recordOf({ run: record, settings }), failed })
        return writeReport(artifacts, record, failed)
      })
    },

    /** Sends what the tracking server does not have of a run yet. */
    async track({ settings, run, ...task }: TrackTask): Promise<Delivered> {
      const { track } = await import('./track.ts')
      return failing(async () => {
        const artifacts = openArtifacts(settings.store)
        return track(artifacts, { run: await recordIn(artifacts, run), ...task })
      })
    },

    /** The same of a sweep and, once it has ended, of cells that found all they need in the store. */
    async trackSweep({ id, store, ended }: TrackSweepTask): Promise<Delivered> {
      const [{ trackSweep }, { sweepIn }] = await Promise.all([
        import('./track-sweep.ts'),
        import('./sweep.ts'),
      ])
      const { heartbeat } = Context.current()
      return failing(async () => {
        const artifacts = openArtifacts(store)
        return trackSweep(artifacts, { sweep: await sweepIn(artifacts, id), ended }, heartbeat)
      })
    },

    /** A run of a sweep: what it is, and which of its stages are in the store. */
    async keptRun({ cell, store }: CellInput): Promise<KeptCell> {
      return failing(() => keptCell(openArtifacts(store), cell))
    },

    async cellsOf(task: SweepTask) {
      const { cellsOf } = await import('./sweep.ts')
      return failing(() => cellsOf(task))
    },

    async settled(task: SettledTask) {
      const { settledRuns } = await import('./sweep.ts')
      return failing(() => settledRuns(task))
    },

    async whichEnded(
      workflows: readonly { readonly run: string; readonly workflow: string }[],
    ): Promise<readonly Ended[]> {
      const { whichEnded } = await import('./sweep.ts')
      return failing(() => whichEnded(workflows))
    },

    async reportSweep({ id, store, failures }: SweepTask & { readonly failures: readonly CellFailure[] }) {
      const { writeSweepReport } = await import('./sweep.ts')
      return failing(() => writeSweepReport(openArtifacts(store), id, failures))
    },
  }
}

async function failing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw asFailure(error)
  }
}
