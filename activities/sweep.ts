import { ApplicationFailure, Context } from '@temporalio/activity'
import { ActivityFailure } from '@temporalio/common'
import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client'
import { openArtifacts, type Artifacts } from '../artifacts/artifacts.ts'
import { UserError } from '../experiment/errors.ts'
import { manifestDigest } from '../experiment/manifest.ts'
import type { ResultRow } from '../experiment/results.ts'
import type { RunResult } from '../experiment/run.ts'
import { stagesOf } from '../experiment/stage-list.ts'
import type { Stage } from '../experiment/stages.ts'
import type { HalvingSpec } from '../experiment/sweep-space.ts'
import type { CellFailure, RunEnding, SweepCells, SweepRecord } from '../experiment/sweep.ts'
import { outcomeOf } from '../report/comparison/outcome.ts'
import { renderComparison } from '../report/comparison/render.ts'
import { comparisonOf } from './comparison.ts'

export interface SweepTask {
  readonly id: string
  readonly store: string
}

/** What is to be run, from the record in the store. */
export async function cellsOf({
  id,
  store,
}: SweepTask): Promise<SweepCells & { readonly halving?: HalvingSpec; readonly isTracked?: true }> {
  const { cells, space, tracking } = await sweepIn(openArtifacts(store), id)
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

/**
 * Of some runs, the results of those that the store has whole: a report, and every stage as the report has it. null: there
 * is something to compute.
 */
export async function settledRuns({
  store,
  runs,
}: {
  readonly store: string
  readonly runs: readonly string[]
}): Promise<readonly (readonly ResultRow[] | null)[]> {
  const artifacts = openArtifacts(store)
  // Cells share stages: each is looked up once.
  const digests = new Map<string, Promise<string | undefined>>()
  const digestNow = (stage: Stage) => {
    const known = digests.get(stage.key)
    if (known) return known
    const found = artifacts.complete(stage).then((manifest) => manifest && manifestDigest(manifest))
    digests.set(stage.key, found)
    return found
  }
  const results: (readonly ResultRow[] | null)[] = []
  for (const run of runs) {
    results.push(await settled(artifacts, run, digestNow))
    Context.current().heartbeat()
  }
  return results
}

async function settled(
  artifacts: Artifacts,
  id: string,
  digestNow: (stage: Stage) => Promise<string | undefined>,
): Promise<readonly ResultRow[] | null> {
  const [record, report] = await Promise.all([artifacts.run(id), artifacts.reportJson(id)])
  if (!record || report === undefined) return null
  const { stages } = (JSON.parse(report) as WrittenReport).computed
  const written = new Map(stages.map(({ key, digest }) => [key, digest]))
  const isSame = await Promise.all(
    stagesOf(record.plan).map(async (stage) => {
      const digest = written.get(stage.key)
      return digest !== undefined && digest === (await digestNow(stage))
    }),
  )
  return isSame.every(Boolean) ? outcomeOf(report).rows : null
}

/** What this reads of a `report.json`. */
interface WrittenReport {
  readonly computed: { readonly stages: readonly { readonly key: string; readonly digest?: string }[] }
}

export type Ended = RunEnding & { readonly run: string }

/**
 * Answers those of some workflows that have ended, however. While there is none, the attempt ends too, and the server
 * makes another one later: waiting takes no worker's slot.
 */
export async function whichEnded(
  workflows: readonly { readonly run: string; readonly workflow: string }[],
): Promise<readonly Ended[]> {
  const { client, heartbeat } = Context.current()
  const ended: Ended[] = []
  for (const { run, workflow } of workflows) {
    const handle = client.workflow.getHandle<() => Promise<RunResult>>(workflow)
    const ending = await handle.describe().then(
      async ({ status }) => (status.name === 'RUNNING' ? undefined : endingOf(status.name, handle.result())),
      (error: unknown) => {
        // The server keeps what has ended for a while only.
        if (error instanceof WorkflowNotFoundError)
          return { error: 'the server knows nothing of it any more' }
        throw error
      },
    )
    if (ending) ended.push({ run, ...ending })
    heartbeat()
  }
  if (ended.length > 0) return ended
  throw ApplicationFailure.create({ message: 'none has ended yet', type: 'NoneEnded', nextRetryDelay: '1s' })
}

/** How a workflow ended, in the words of workflows/sweep.ts. */
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

/** Renders the sweep's report from what its runs left in the store, and keeps what failed for the next time. */
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
