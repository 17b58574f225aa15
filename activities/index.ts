import { openArtifacts } from '../artifacts/artifacts.ts'
import type { RunInput, RunRecord, RunResult } from '../experiment/run.ts'
import type { Settings } from '../experiment/spec.ts'
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
}

export type Activities = ReturnType<typeof createActivities>

/** Every activity by name. Bodies load when they first run: a worker that finds all stages kept loads no TensorFlow. */
export function createActivities() {
  return {
    kept: keptStages,
    dataset: stageActivity('dataset', async () => (await import('./dataset.ts')).dataset),
    split: stageActivity('split', async () => (await import('./split.ts')).split),
    train: stageActivity('train', async () => (await import('./train.ts')).train),
    unlearn: stageActivity('unlearn', async () => (await import('./unlearn.ts')).unlearn),
    evaluate: stageActivity('evaluate', async () => (await import('./evaluate.ts')).evaluate),
    attack: stageActivity('attack', async () => (await import('./attack.ts')).attack),
    compare: stageActivity('compare', async () => (await import('./compare.ts')).compare),

    /** Keeps what was asked for and what failed, so that the report can be rendered again, and renders it. */
    async report({ run, settings, failed }: ReportTask): Promise<WrittenReport> {
      const { writeReport } = await import('./report.ts')
      return failing(async () => {
        const artifacts = openArtifacts(settings.store)
        await artifacts.putRun({ ...run, failed })
        return writeReport(artifacts, run, failed)
      })
    },

    /** Sends the metrics of a run's stages to the tracking server. */
    async track({ run, settings, tracking }: TrackTask): Promise<void> {
      const { track } = await import('./track.ts')
      return failing(() => track(openArtifacts(settings.store), run, tracking))
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
