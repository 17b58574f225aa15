import { comparisonOf, type FoundRun } from '../../../activities/comparison.ts'
import { digestOf } from '../../../common/canonical.ts'
import { chunks } from '../../../common/concurrency.ts'
import { UserError } from '../../../common/errors.ts'
import { endsOf, type ResultRow } from '../../../experiment/records/results.ts'
import type { SweepRecord } from '../../../experiment/sweep/sweep.ts'
import { commandOf } from '../../../report/command.ts'
import { outcomeOf } from '../../../report/comparison/outcome.ts'
import { comparisonDocument } from '../../../report/comparison/render.ts'
import { readPublished } from '../../../report/published.ts'
import type { SweepCell, SweepReport, SweepView } from '../../contract.ts'
import { columnsOf } from '../../sweep-columns.ts'
import type { LiveSweep } from '../operations.ts'
import { runEntry } from '../run-entry.ts'
import type { Snapshot } from '../run-reader.ts'
import type { StoredSweep } from '../store-index.ts'
import { RefusedRequest, type Answer, type Params } from './answer.ts'
import { cached, type AnswerContext } from './context.ts'
import { runPage } from './links.ts'
import { sweepNews } from './sweep-entry.ts'

/** So long a request reads reports before it answers with those that are read. */
const READING_MS = 700
/** Reports that are read at once. */
const AT_ONCE = 16

/**
 * A sweep: its cells with the figures of their reports. The first answer about thousands of cells
 * lacks figures, and each further one has more of them.
 */
export async function sweepAnswer(context: AnswerContext, { sweep: id = '' }: Params): Promise<Answer> {
  const { snapshot, stored, record } = await sweepIn(context, id)
  // What is read is kept, so that the next request goes on, unless there is too much to keep.
  const isKept = runsOf(record).length <= context.outcomes.most / 2
  const until = isKept ? performance.now() + READING_MS : Infinity
  const { found, reports } = await foundRuns(context, snapshot, record, until)
  const live = snapshot.sweeps.get(id)
  const view = (): SweepView => ({
    ...sweepNews(stored, snapshot),
    parameters: record.columns.map(({ name }) => name),
    cells: columnsOf(cellsOf(record, { snapshot, found, live })),
    ...(found.size < reports && { reading: { read: found.size, reports } }),
  })
  if (found.size < reports) return { json: view() }
  const state = digestOf([
    keyOf(snapshot, stored, found),
    ...[snapshot.board.version, snapshot.temporal ?? '', live ?? null],
  ])
  return cached(context, `sweep text ${state}`, () => {
    const json = view()
    return Promise.resolve({ json, text: JSON.stringify(json) })
  })
}

/** The comparison of all cells of a sweep. */
export async function sweepReportAnswer(context: AnswerContext, { sweep: id = '' }: Params): Promise<Answer> {
  const { snapshot, stored, record } = await sweepIn(context, id)
  const { found } = await foundRuns(context, snapshot, record, Infinity)
  return cached(context, `sweep report ${keyOf(snapshot, stored, found)}`, async () => {
    const comparison = await comparisonOf(context.artifacts, record, (run) => Promise.resolve(found.get(run)))
    const json: SweepReport = comparisonDocument(comparison)
    return { json, text: JSON.stringify(json) }
  })
}

async function sweepIn(context: AnswerContext, id: string) {
  const snapshot = await context.snapshot()
  const stored = snapshot.index.sweep(id)
  if (!stored)
    throw new RefusedRequest(
      404,
      `the store has no sweep '${id}'`,
      'the list of sweeps has those that there are',
    )
  const record = await cached(context, `sweep record ${id} ${stored.changedAt}`, () => recordOf(context, id))
  return { snapshot, stored, record }
}

/** What the answers about a sweep depend on: its record and the reports of its runs. */
function keyOf(
  snapshot: Snapshot,
  { id, changedAt }: StoredSweep,
  found: ReadonlyMap<string, FoundRun>,
): string {
  return digestOf([id, changedAt, [...found.keys()].map((run) => keyOfRun(snapshot, run))])
}

function runsOf({ cells }: SweepRecord): readonly string[] {
  return [...new Set(cells.flatMap(({ runs }) => runs))]
}

/**
 * Reads the reports of a sweep until a time, by the clock of `performance.now`. At least some are
 * read. `reports` is the number of reports that there are.
 */
async function foundRuns(
  context: AnswerContext,
  snapshot: Snapshot,
  record: SweepRecord,
  until: number,
): Promise<{ readonly found: ReadonlyMap<string, FoundRun>; readonly reports: number }> {
  for (const [key, results] of (await context.kept?.load(record.id)) ?? []) context.outcomes.set(key, results)
  const known = runsOf(record).map((run) => [run, knownRun(context, snapshot, run)] as const)
  const unread = known.flatMap(([run, results]) => (results === 'unread' ? [run] : []))
  const read = new Map<string, FoundRun>()
  const gone = new Set<string>()
  for (const some of chunks(unread, AT_ONCE)) {
    await Promise.all(
      some.map(async (run) => {
        const results = await readRun(context, snapshot, run)
        if (results) read.set(run, results)
        else gone.add(run)
      }),
    )
    if (performance.now() >= until) break
  }
  const found = new Map(
    known.flatMap(([run, results]) => {
      const own = results === 'unread' ? read.get(run) : results
      return own ? [[run, own] as const] : []
    }),
  )
  const reports = known.filter(([run, own]) => own && !gone.has(run)).length
  if (found.size === reports && read.size > 0)
    await context.kept?.save(
      record.id,
      new Map([...found].map(([run, results]) => [keyOfRun(snapshot, run), results])),
    )
  return { found, reports }
}

async function recordOf({ artifacts }: AnswerContext, id: string): Promise<SweepRecord> {
  const record = await artifacts.sweep(id)
  if (record) return record
  throw new RefusedRequest(404, `the sweep '${id}' was removed from the store`)
}

/** The results of a run if they were read before. Undefined if the run has no report. */
function knownRun(
  { outcomes }: AnswerContext,
  snapshot: Snapshot,
  id: string,
): FoundRun | 'unread' | undefined {
  const { reportedAt } = snapshot.index.get(id) ?? {}
  return reportedAt === undefined ? undefined : (outcomes.get(keyOfRun(snapshot, id)) ?? 'unread')
}

/**
 * Reads the results of a run as its stored report has them. Undefined if the report was removed in
 * the meantime.
 */
async function readRun(
  { artifacts, outcomes }: AnswerContext,
  snapshot: Snapshot,
  id: string,
): Promise<FoundRun | undefined> {
  const [record, text] = await Promise.all([artifacts.run(id), artifacts.reportJson(id)])
  if (!record || text === undefined) return undefined
  const found = { command: commandOf(record), link: runPage(id), outcome: publishedOutcome(text) }
  outcomes.set(keyOfRun(snapshot, id), found)
  return found
}

/** The results of a run are others if its report was written again. */
function keyOfRun({ index }: Snapshot, id: string): string {
  return `${id} ${index.get(id)?.reportedAt ?? 0}`
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
