import {
  comparisonAmong,
  comparisonOfRuns,
  outcomeOfRun,
  type RunWithOutcome,
} from '../../../activities/comparison.ts'
import { digestOf } from '../../../common/canonical.ts'
import { inOrder } from '../../../common/concurrency.ts'
import type { RunRecord } from '../../../experiment/records/run.ts'
import { comparisonDocument } from '../../../report/comparison/render.ts'
import type { ComparisonView } from '../../contract.ts'
import { RefusedRequest, type Answer, type Params } from './answer.ts'
import { cached, type AnswerContext } from './context.ts'
import { runPage } from './links.ts'
import { runRecord } from './stored-record.ts'

/** The largest number of runs that are compared. A sweep shows more. */
const MOST_RUNS = 200

/** Runs side by side. The parameter `runs` has their ids with `+` between them. */
export async function comparisonAnswer(context: AnswerContext, { runs: text = '' }: Params): Promise<Answer> {
  const { artifacts, compared } = context
  const ids = [...new Set(text.split('+').filter((id) => id !== ''))].sort()
  if (ids.length < 2 || ids.length > MOST_RUNS)
    throw new RefusedRequest(
      400,
      `a comparison of ${ids.length} runs was asked for; expected 2 to ${MOST_RUNS}`,
      'select other runs in the list',
    )
  const records = await inOrder(ids, (id) => runRecord(artifacts, id))
  const reports = await inOrder(ids, (id) => artifacts.reportJson(id))
  const view = await cached(context, digestOf(['comparison', records, reports]), async () => {
    const comparison = compared
      ? comparisonAmong(await inOrder(records, (run) => knownOutcome(context, compared, run)))
      : await comparisonOfRuns(artifacts, records)
    const linked = comparison.runs.map((run) => ({ ...run, link: runPage(run.id) }))
    return { runs: ids, ...comparisonDocument({ ...comparison, runs: linked }) } satisfies ComparisonView
  })
  return { json: view }
}

/** A run with its results, which are read once. */
async function knownOutcome(
  { artifacts }: AnswerContext,
  compared: NonNullable<AnswerContext['compared']>,
  run: RunRecord,
): Promise<RunWithOutcome> {
  const outcome = compared.get(run.id) ?? outcomeOfRun(artifacts, run)
  compared.set(run.id, outcome)
  return { run, outcome: await outcome }
}
