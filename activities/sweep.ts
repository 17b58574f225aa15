import { ApplicationFailure, Context } from '@temporalio/activity'
import { ActivityFailure } from '@temporalio/common'
import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client'
import type { Artifacts } from '../artifacts/artifacts.ts'
import { StoreView } from '../artifacts/store-view.ts'
import { UserError } from '../common/errors.ts'
import { searchAttributesOf } from '../experiment/records/search-attributes.ts'
import type { RunRecord, RunResult } from '../experiment/records/run.ts'
import { stagesOf } from '../experiment/stages/stage-list.ts'
import type { Stage } from '../experiment/stages/stage.ts'
import type { HalvingSpec } from '../experiment/sweep/space.ts'
import type { CellFailure, RunEnding, Settled, SweepCells, SweepRecord } from '../experiment/sweep/sweep.ts'
import { renderComparison } from '../report/comparison/render.ts'
import { readPublished } from '../report/published.ts'
import { comparisonOf } from './comparison.ts'
import { SharedManifests, storedOutcome } from './stored-outcome.ts'

export interface SweepTask {
  readonly id: string
  readonly store: string
}

/** Returns the cells of a sweep and how to run them, from its record in the store. */
export async function cellsOf(
  artifacts: Artifacts,
  id: string,
): Promise<SweepCells & { readonly halving?: HalvingSpec; readonly isTracked?: true }> {
  const { cells, space, tracking } = await sweepIn(artifacts, id)
  const { halving } = space
  return {
    cells: cells.map(({ runs }) => runs),
    rungs: (halving?.rungs.length ?? 0) + 1,
    factor: halving?.factor ?? 1,
    ...(halving && { halving }),
    ...(tracking && { isTracked: true }),
  }
}

export async function sweepIn(artifacts: Artifacts, id: string): Promise<SweepRecord> {
  const record = await artifacts.sweep(id)
  if (!record) throw new UserError(`the store ${artifacts.store.url} has no sweep '${id}' any more`)
  return record
}

export interface SettledTask {
  readonly store: string
  readonly sweep: string
  readonly runs: readonly string[]
  /** Whether a run that ended without some stages, because they failed, is left as it is. */
  readonly left: boolean
}

/**
 * Returns for each run its results if it is complete in the store, and otherwise the search
 * attributes of the workflow to start. A run is complete if it has a report and all stages are as
 * in the report.
 */
export async function settledRuns(
  artifacts: Artifacts,
  { sweep, runs, left }: SettledTask,
): Promise<readonly Settled[]> {
  // Runs share stages, each of which is read once.
  const view = new StoreView(artifacts)
  const manifests = new SharedManifests(artifacts)
  const digestNow = async (stage: Stage) => (await view.complete(stage))?.digest
  const found: Settled[] = []
  for (const id of runs) {
    const record = await artifacts.run(id)
    if (!record) throw new UserError(`the store ${artifacts.store.url} has no run '${id}' any more`)
    const outcome = await storedOutcome(artifacts, record, manifests)
    const failed = outcome && 'rows' in outcome ? await failedIn(artifacts, record, digestNow) : undefined
    found.push(
      outcome && 'rows' in outcome && failed !== undefined && (failed === 0 || left)
        ? { results: outcome.rows, incomplete: failed > 0 }
        : { attributes: searchAttributesOf(record, sweep) },
    )
  }
  return found
}

/**
 * Returns the number of stages that failed. Returns undefined if the store does not have the
 * results of the others that the report is about.
 */
async function failedIn(
  artifacts: Artifacts,
  { id, plan }: RunRecord,
  digestNow: (stage: Stage) => Promise<string | undefined>,
): Promise<number | undefined> {
  const { stages } = readPublished((await artifacts.reportJson(id)) ?? '', id).computed
  const written = new Map(stages.map(({ key, digest }) => [key, digest]))
  const states = await Promise.all(
    stagesOf(plan).map(async (stage) => {
      if (!written.has(stage.key)) return 'other'
      const digest = written.get(stage.key)
      if (digest === undefined) return 'failed'
      return digest === (await digestNow(stage)) ? 'same' : 'other'
    }),
  )
  return states.includes('other') ? undefined : states.filter((state) => state === 'failed').length
}

export type Ended = RunEnding & { readonly run: string }

/** The largest number of workflows per second that are described: sweeps run hundreds at a time. */
const DESCRIBED_PER_SECOND = 10

/**
 * Returns those of some workflows that have ended, no matter how. If none has ended, the attempt
 * fails and the server starts another one later, so that waiting occupies no worker.
 */
export async function whichEnded(
  workflows: readonly { readonly run: string; readonly workflow: string }[],
): Promise<readonly Ended[]> {
  const { client } = Context.current()
  const ended: Ended[] = []
  for (const { run, workflow } of workflows) {
    const handle = client.workflow.getHandle<() => Promise<RunResult>>(workflow)
    const ending = await handle.describe().then(
      async ({ status }) => (status.name === 'RUNNING' ? undefined : endingOf(status.name, handle.result())),
      (error: unknown) => {
        // The server deletes workflows some time after their end.
        if (error instanceof WorkflowNotFoundError)
          return { error: 'the server knows nothing of it any more' }
        throw error
      },
    )
    if (ending) ended.push({ run, ...ending })
  }
  if (ended.length > 0) return ended
  throw ApplicationFailure.create({
    message: 'none has ended yet',
    type: 'NoneEnded',
    nextRetryDelay: Math.max(1000, (1000 * workflows.length) / DESCRIBED_PER_SECOND),
  })
}

/** Describes how a workflow ended, in the words that workflows/sweep.ts uses. */
async function endingOf(status: string, result: Promise<RunResult>): Promise<RunEnding> {
  try {
    const { failed, results } = await result
    return { result: { failed, results } }
  } catch (error) {
    const words = endings[status]
    if (words !== undefined) return { error: words }
    let cause = error
    while (
      (cause instanceof WorkflowFailedError || cause instanceof ActivityFailure) &&
      cause.cause instanceof Error
    )
      cause = cause.cause
    return { error: cause instanceof Error ? cause.message : String(cause) }
  }
}

const endings: Readonly<Record<string, string>> = {
  CANCELLED: 'it was cancelled',
  TERMINATED: 'it was terminated',
  TIMED_OUT: 'it timed out',
}

/** Renders the report of a sweep from the reports of its runs, and records which runs failed. */
export async function writeSweepReport(
  artifacts: Artifacts,
  id: string,
  failures: readonly CellFailure[],
): Promise<{ readonly url: string; readonly digest: string }> {
  const record = { ...(await sweepIn(artifacts, id)), failures }
  await artifacts.putSweep(record)
  const { files, digest } = await renderComparison(await comparisonOf(artifacts, record))
  return { url: await artifacts.putSweepReport(id, files), digest }
}
