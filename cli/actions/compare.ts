import { join, resolve } from 'node:path'
import { SharedManifests, storedOutcome } from '../../activities/stored-outcome.ts'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import type { ComparedRun, Comparison } from '../../experiment/sweep/comparison.ts'
import { differingColumns } from '../../experiment/sweep/differing-columns.ts'
import { UserError } from '../../common/errors.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import { commandOf, quoted } from '../../report/command.ts'
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
  const comparison = await comparisonOf(artifacts, runs, store)

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

/**
 * Returns the comparison of these runs. A run without a report is listed as missing, with the
 * command that completes it.
 */
export async function comparisonOf(
  artifacts: Artifacts,
  runs: readonly RunRecord[],
  store?: string,
): Promise<Comparison> {
  const where = store === undefined ? '' : ` --store ${quoted(store)}`
  const manifests = new SharedManifests(artifacts)
  const found = differingColumns(runs.map(({ spec }) => spec))
  return {
    command: `./zeroshift compare ${runs.map(({ id }) => quoted(id)).join(' ')}${where}`,
    columns: found.columns,
    runs: await inOrder(runs, async (run, i): Promise<ComparedRun> => ({
      id: run.id,
      values: found.values[i] ?? [],
      command: commandOf(run),
      outcome: await outcomeIn(artifacts, run, where, manifests),
    })),
  }
}

async function outcomeIn(
  artifacts: Artifacts,
  run: RunRecord,
  where: string,
  manifests: SharedManifests,
): Promise<ComparedRun['outcome']> {
  const id = quoted(run.id)
  const outcome = await storedOutcome(artifacts, run, manifests)
  if (!outcome) return { missing: `it has no report yet: ./zeroshift resume ${id}${where} finishes it` }
  return 'missing' in outcome
    ? { missing: `${outcome.missing}: ./zeroshift report ${id}${where} writes it again` }
    : outcome
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

/** Handles one item after the other: a store is no faster with hundreds of requests at once. */
async function inOrder<T, R>(all: readonly T[], one: (item: T, i: number) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const [i, item] of all.entries()) results.push(await one(item, i))
  return results
}
