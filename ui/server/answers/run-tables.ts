import {
  endsOf,
  metricColumns,
  shownMetrics,
  type Figure,
  type MetricName,
  type ResultRow,
} from '../../../experiment/records/results.ts'
import { withoutSeeds } from '../../../report/format.ts'
import type { ReportInput } from '../../../report/input.ts'
import { renderCsv } from '../../../report/render/csv.ts'
import { renderLatex } from '../../../report/render/latex.ts'
import { floorRows } from '../../../report/results.ts'
import { resultsTable } from '../../../report/sections/results.ts'
import type { RunView } from '../../contract.ts'

const metrics = Object.keys(metricColumns) as MetricName[]

/** The results of a run as LaTeX for a paper, and as CSV with all digits. */
export function runTables(input: ReportInput, rows: readonly ResultRow[], digest: string): RunView['tables'] {
  const { plan, spec } = input.run
  const table = resultsTable(rows, shownMetrics(spec), { floor: floorRows(plan, rows) })
  return { latex: renderLatex(table, [`SHA-256 of what was computed: ${digest}`]), csv: csvOf(rows) }
}

function csvOf(rows: readonly ResultRow[]): string {
  const heads = metrics.flatMap((name) => [name, `${name}_low`, `${name}_high`, `${name}_n`])
  return renderCsv([
    ['label', 'method', ...heads, 'missing'],
    ...rows.map(({ label, method, metrics: figures }) => [
      ...[label, method],
      ...metrics.flatMap((name) => valuesOf(figures[name])),
      metrics.flatMap((name) => reasonOf(name, figures[name]) ?? []).join('; '),
    ]),
  ])
}

function valuesOf(figure: Figure): readonly (number | null)[] {
  if ('missing' in figure) return [null, null, null, null]
  const [low = null, high = null] = endsOf(figure) ?? []
  return [figure.value, low, high, figure.n ?? 1]
}

function reasonOf(name: string, figure: Figure): string | undefined {
  const reason = 'missing' in figure ? figure.missing : withoutSeeds(figure)
  return reason === undefined ? undefined : `${name}: ${reason}`
}
