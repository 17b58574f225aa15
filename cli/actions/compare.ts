import { join, resolve } from 'node:path'
import { comparisonOfRuns } from '../../activities/comparison.ts'
import { inOrder } from '../../common/concurrency.ts'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import type { Comparison } from '../../experiment/sweep/comparison.ts'
import { UserError } from '../../common/errors.ts'
import { renderJson } from '../../report/comparison/json.ts'
import { renderComparison } from '../../report/comparison/render.ts'
import { comparisonLines } from '../output/comparison-lines.ts'
import { withLinks } from '../output/comparison-links.ts'
import { artifactsIn } from '../workspace/existing-store.ts'
import { idsIn } from '../workspace/named-run.ts'
import { writeTexts } from '../workspace/new-folder.ts'
import { home, runRecordIn } from '../workspace/workspace.ts'
import { coloursOf, printJson, printTo } from '../output/print.ts'
import { refuseUrl } from '../workspace/refuse-url.ts'

interface CompareOptions {
  readonly out?: string
  readonly json?: true
  readonly store?: string
}

/** `zeroshift compare ID ID…`: shows runs in the store, and the runs of sweeps, side by side. */
export async function compare(
  words: readonly string[],
  { out, json, store }: CompareOptions,
): Promise<number> {
  if (out !== undefined) refuseUrl(out, '--out')
  const artifacts = await artifactsIn(store)
  const ids = await idsIn(artifacts.store, words)
  const distinct = [...new Set((await inOrder(ids, (id) => runsOf(artifacts, id))).flat())]
  if (distinct.length < 2)
    throw new UserError(
      `one run has nothing to be compared with: name two or more, found ${distinct.join('')}`,
    )
  const runs = await inOrder(distinct, (id) => runRecordIn(artifacts, id))
  const comparison = await comparisonOfRuns(artifacts, runs, store)

  const { digest } = renderJson(comparison)
  const folder = resolve(out ?? join(home, 'comparisons', digest.slice(0, 8)))
  const { files } = await renderComparison(withLinks(comparison, artifacts, folder))
  await writeTexts(folder, files)

  const page = join(folder, 'index.html')
  const stream = json ? process.stderr : process.stdout
  for (const line of comparisonLines(comparison, coloursOf(stream))) printTo(stream, line)
  printTo(stream, `\nReport: ${page}`)
  if (json) printJson(answerOf(comparison, digest, page))
  return 0
}

/** Returns the runs of a sweep's cells, or the id itself if it is no sweep. */
async function runsOf(artifacts: Artifacts, id: string): Promise<readonly string[]> {
  const sweep = await artifacts.sweep(id)
  return sweep ? sweep.cells.flatMap(({ runs }) => runs.slice(-1)) : [id]
}

function answerOf({ columns, runs }: Comparison, digest: string, report: string) {
  return {
    report,
    digest,
    runs: runs.map(({ id, values, outcome }) => ({
      id,
      values: Object.fromEntries(columns.map(({ name }, i) => [name, values[i] ?? null])),
      ...('missing' in outcome ? outcome : { floor: outcome.floor, results: outcome.rows }),
    })),
  }
}
