import { NO_GOLD } from '../experiment/records/no-gold.ts'
import type { MetricName, ResultRow } from '../experiment/records/results.ts'
import { oneLine } from '../common/terminal-text.ts'
import { describeSeeds } from './describe.ts'
import { verdictMarks } from './judgement/words.ts'
import { renderTerminal } from './render/terminal.ts'
import { isApproximate } from './results.ts'
import { resultsTable } from './sections/results.ts'

/** The metrics that a terminal has room for, some under shorter labels. */
const names = ['ra', 'ua', 'ta', 'mia', 'averageGap', 'gapWithoutMia', 'activationForget', 'rte'] as const
const labels: Partial<Record<MetricName, string>> = { averageGap: 'Avg.gap', gapWithoutMia: 'w/o MIA' }

/** The results for a terminal of 100 columns, with signs for the verdicts of tests. */
export function renderTable(given: readonly ResultRow[], options: { readonly colour: boolean }): string {
  // Control characters are written out before anything is measured.
  const rows = given.map((row) => ({ ...row, label: oneLine(row.label) }))
  const table = resultsTable(rows, names, { floor: rows.filter(isFloor), isNarrow: true })
  const seeds = describeSeeds({ seeds: seedsIn(rows) })
  return renderTerminal(
    {
      ...table,
      columns: table.columns.map((column, i) => {
        const name = names[i - 1]
        return { ...column, label: (name && labels[name]) ?? column.label }
      }),
      notes: [...standingNotes(rows), ...(seeds === undefined ? [] : [seeds]), ...(table.notes ?? [])],
    },
    options,
  )
}

function standingNotes(rows: readonly ResultRow[]): readonly string[] {
  if (rows.some(({ standing }) => standing))
    return [
      `${verdictMarks.equivalent} equivalent to another gold model within δ, ${verdictMarks.distinguishable} told from gold, ${verdictMarks.undecided} undecided; * no method is closer by the tests`,
    ]
  if (!rows.some(isApproximate)) return []
  if (rows.every(({ metrics: { averageGap: gap } }) => 'missing' in gap && gap.missing === NO_GOLD))
    return ['There is no gold model (gold: none), so that no method is tested against gold.']
  return [
    seedsIn(rows) === undefined
      ? 'With one seed no method is tested against gold; with several (seeds: 8) each is, beside another gold model.'
      : 'No method was tested against gold: the report says why.',
  ]
}

/**
 * Whether a row is of a further gold model. Such rows are called `retrain, seed 2`, or
 * `retrain, gold 2` for several seeds. Labels of configs hold no comma.
 */
function isFloor({ label, method }: ResultRow): boolean {
  return method === 'retrain' && /, (seed|gold) /.test(label)
}

/** The number of seeds; undefined if there is a single one. */
function seedsIn(rows: readonly ResultRow[]): number | undefined {
  const counts = rows
    .flatMap(({ metrics }) => Object.values(metrics))
    .map((found) => ('n' in found ? (found.n ?? 1) + (found.leftOut?.length ?? 0) : 1))
  const most = Math.max(1, ...counts)
  return most > 1 ? most : undefined
}
