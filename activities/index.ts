import { openArtifacts } from '../artifacts/artifacts.ts'
import { recordOf, type RunEnd, type RunInput, type RunRecord, type RunResult } from '../experiment/run.ts'
import type { Settings } from '../experiment/spec.ts'
import type { Delivered } from '../tracking/deliver.ts'
import { asFailure } from './errors.ts'
import type { WrittenReport } from './report.ts'
import { keptStages, stageActivity } from './stage.ts'

export interface ReportTask {
  readonly run: RunRecord
  readonly settings: RunInput['settings']
  readonly failed: RunResult['failed']
}

export interface TrackTask {
  readonly run: RunRecord
  readonly settings: RunInput['settings']
  readonly tracking: NonNullable<Settings['tracking']>
  /** Absent while the run goes on. */
  readonly ended?: RunEnd
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
        await artifacts.putRun({ ...recordOf({ run, settings }), failed })
        return writeReport(artifacts, run, failed)
      })
    },

    /** Sends what the tracking server does not have of a run yet. */
    async track({ settings, ...task }: TrackTask): Promise<Delivered> {
      const { track } = await import('./track.ts')
      return failing(() => track(openArtifacts(settings.store), task))
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
