import { stringify } from 'yaml'
import { mapsOf } from '../../../activities/feature-maps.ts'
import { digestOf } from '../../../common/canonical.ts'
import type { RunRecord } from '../../../experiment/records/run.ts'
import { stagesOf } from '../../../experiment/stages/stage-list.ts'
import { commandOf } from '../../../report/command.ts'
import { csvOfRun, latexOfRun } from '../../../report/result-files.ts'
import { reportDocument, type ReportInput } from '../../../report/report.ts'
import { drawnMapStages } from '../../../report/sections/maps.ts'
import type { RunView } from '../../contract.ts'
import { runEntry } from '../run-entry.ts'
import type { Snapshot } from '../run-reader.ts'
import type { Answer, Params } from './answer.ts'
import { cached, type AnswerContext } from './context.ts'
import { failuresOf, runInput } from './run-input.ts'

/** A run: its progress, and its report of the stages that are finished now. */
export async function runAnswer(context: AnswerContext, { run: id = '' }: Params): Promise<Answer> {
  const { artifacts } = context
  const [stored, labels, snapshot] = await Promise.all([
    runInput(context, id),
    artifacts.labels(id),
    context.snapshot(),
  ])
  const record = stored.input.run
  const progress = snapshot.progress.get(id)
  const failed = failuresOf(record, progress)
  const input: ReportInput = { ...stored.input, failed, ...(labels && { labels }) }
  const key = digestOf(['run', stored.digest, failed, labels ?? null, record.command])
  const report = await cached(context, key, async () =>
    reportOf({ ...input, maps: await mapsOf(artifacts, input, drawnMapStages(input)) }),
  )
  const view: RunView = {
    entry: entryIn(snapshot, record),
    ...(progress && { progress }),
    ...report,
    config: stringify(record.spec, { sortMapEntries: true, lineWidth: 0 }),
    command: commandOf(record),
    views: viewsOf(input),
  }
  return { json: view }
}

/** The list leaves out cells that were not started. */
function entryIn({ board, index, live }: Snapshot, { id }: RunRecord): RunView['entry'] {
  return board.get(id) ?? runEntry(id, { stored: index.get(id), live: live.get(id) })
}

function reportOf(input: ReportInput): Pick<RunView, 'document' | 'rows' | 'tables' | 'digest'> {
  const { document, rows, digest } = reportDocument(input)
  const failed = new Set(input.failed.map(({ title }) => title))
  const isWhole = stagesOf(input.run.plan).every(
    ({ key, title }) => key in input.manifests || failed.has(title),
  )
  return {
    document,
    rows,
    tables: { latex: latexOfRun(input, rows, digest), csv: csvOfRun(input, rows, digest) },
    ...(isWhole && { digest }),
  }
}

/** The views that a run has data for. */
function viewsOf({ run: { plan, spec }, manifests }: ReportInput): RunView['views'] {
  return { samples: plan.dataset.key in manifests, features: spec.maps !== undefined }
}
