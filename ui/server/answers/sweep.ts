import { comparisonOf, type FoundRun } from '../../../activities/comparison.ts'
import { digestOf } from '../../../common/canonical.ts'
import { UserError } from '../../../common/errors.ts'
import { endsOf, type ResultRow } from '../../../experiment/records/results.ts'
import type { SweepRecord } from '../../../experiment/sweep/sweep.ts'
import { commandOf } from '../../../report/command.ts'
import { outcomeOf } from '../../../report/comparison/outcome.ts'
import { comparisonDocument } from '../../../report/comparison/render.ts'
import { readPublished } from '../../../report/published.ts'
import type { SweepCell, SweepView } from '../../contract.ts'
import type { LiveSweep } from '../operations.ts'
import { runEntry } from '../run-entry.ts'
import type { Snapshot } from '../run-reader.ts'
import { RefusedRequest, type Answer, type Params } from './answer.ts'
import { cached, type AnswerContext } from './context.ts'
import { runPage } from './links.ts'
import { sweepEntry } from './sweep-entry.ts'

/** A sweep: its cells with the figures of their reports, and the comparison of all of them. */
export async function sweepAnswer(context: AnswerContext, { sweep: id = '' }: Params): Promise<Answer> {
  const snapshot = await context.snapshot()
  const stored = snapshot.index.sweeps().find((one) => one.id === id)
  if (!stored)
    throw new RefusedRequest(
      404,
      `the store has no sweep '${id}'`,
      'the list of sweeps has those that there are',
    )
  const record = await cached(context, `sweep record ${id} ${stored.changedAt}`, () => recordOf(context, id))
  const found = new Map<string, FoundRun>()
  for (const run of record.cells.flatMap(({ runs }) => runs)) {
    const results = await foundRun(context, snapshot, run)
    if (results) found.set(run, results)
  }
  const reports = [...found].map(([run]) => `${run} ${snapshot.index.get(run)?.reportedAt ?? 0}`)
  const key = digestOf(['sweep', id, stored.changedAt, reports])
  const compared = await cached(context, key, async () =>
    comparisonDocument(
      await comparisonOf(context.artifacts, record, (run) => Promise.resolve(found.get(run))),
    ),
  )
  const live = snapshot.sweeps.get(id)
  const view: SweepView = {
    entry: sweepEntry(stored, snapshot),
    ...(live && { progress: live.progress }),
    parameters: record.columns.map(({ name }) => name),
    cells: cellsOf(record, { snapshot, found, live }),
    ...compared,
  }
  return { json: view }
}

async function recordOf({ artifacts }: AnswerContext, id: string): Promise<SweepRecord> {
  const record = await artifacts.sweep(id)
  if (record) return record
  throw new RefusedRequest(404, `the sweep '${id}' was removed from the store`)
}

/**
 * The results of a run as its stored report has them. They are read again only if the report has
 * changed. Undefined if the run has no report.
 */
async function foundRun(
  { artifacts, outcomes }: AnswerContext,
  { index }: Snapshot,
  id: string,
): Promise<FoundRun | undefined> {
  const { reportedAt } = index.get(id) ?? {}
  if (reportedAt === undefined) return undefined
  const key = `${id} ${reportedAt}`
  const known = outcomes.get(key)
  if (known) return known
  const [record, text] = await Promise.all([artifacts.run(id), artifacts.reportJson(id)])
  if (!record || text === undefined) return undefined
  const found = { command: commandOf(record), link: runPage(id), outcome: publishedOutcome(text) }
  outcomes.set(key, found)
  return found
}

function publishedOutcome(text: string): NonNullable<FoundRun['outcome']> {
  try {
    readPublished(text, 'report.json')
    return outcomeOf(text)
  } catch (error) {
    if (error instanceof UserError) return { missing: error.message }
    throw error
  }
}

interface CellSources {
  readonly snapshot: Snapshot
  readonly found: ReadonlyMap<string, FoundRun>
  readonly live: LiveSweep | undefined
}

function cellsOf({ cells, columns, failures = [] }: SweepRecord, sources: CellSources): readonly SweepCell[] {
  const { snapshot, found, live } = sources
  const failed = new Set([...failures, ...(live?.progress.failures ?? [])].map(({ run }) => run))
  const running = new Map((live?.running ?? []).map((cell) => [cell.run, cell]))
  const isRunning = new Set((live?.progress.running ?? []).map(({ run }) => run))
  return cells.map(({ values, runs }) => {
    const last = runs.at(-1) ?? ''
    const active = runs.find((run) => isRunning.has(run))
    // The last rung that has begun stands for the cell.
    const run = active ?? [...runs].reverse().find((one) => found.has(one)) ?? last
    const stages = running.get(run)?.progress?.stages.filter(({ state }) => state === 'running')
    const outcome = found.get(run)?.outcome
    return {
      run,
      state: cellState(),
      values: Object.fromEntries(columns.map(({ name }, i) => [name, String(values[i] ?? '–')])),
      rows: outcome && !('missing' in outcome) ? outcome.rows.flatMap(rowOf) : [],
      ...(stages && stages.length > 0 && { running: stages }),
    }

    function cellState(): SweepCell['state'] {
      if (active !== undefined) return 'running'
      if (runs.some((one) => failed.has(one))) return 'failed'
      const { board, index, live: known } = snapshot
      const entry = board.get(run) ?? runEntry(run, { stored: index.get(run), live: known.get(run) })
      if (run === last && (found.has(run) || entry.hasReport)) return entry.state
      if (found.has(run)) return live ? 'waiting' : 'stopped'
      return entry.state === 'interrupted' && entry.stages.done === 0 ? 'waiting' : entry.state
    }
  })
}

/** The figures of a row. Rows of gold have none that are compared. */
function rowOf({ label, method, metrics }: ResultRow): SweepCell['rows'] {
  if (method === 'retrain') return []
  const { averageGap: gap, rte } = metrics
  const interval = endsOf(gap)
  return [
    {
      label,
      ...('value' in gap && { gap: gap.value }),
      ...(interval && { interval }),
      ...('value' in rte && { rte: rte.value }),
    },
  ]
}
