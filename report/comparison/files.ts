import type { MetricName } from '../../experiment/records/results.ts'
import {
  digestRemark,
  figureFields,
  figureHeads,
  metricNames,
  namedFigures,
  reasonsField,
} from '../figure-fields.ts'
import { renderCsv } from '../render/csv.ts'
import { renderLatex } from '../render/latex.ts'
import { textRows } from '../render/terminal.ts'
import { comparedMetrics, figuresTable, shownDimensions } from './figures.ts'
import { limits } from './limits.ts'
import { cutOff, linesOf, type Lines } from './lines.ts'
import type { Overview } from './overview.ts'

/** All figures for other programs: LaTeX, CSV and a terminal. */

/** `results.tex`: the table for a paper. Its rows are named by the columns in which runs differ. */
export function latexOfFigures(overview: Overview, digest: string): string {
  const dimensions = shownDimensions(overview)
  const lines = linesOf(overview, limits.texRows)
  const cut = cutOff(lines)
  const table = figuresTable(overview, {
    names: comparedMetrics(overview),
    dimensions,
    lines,
    // Without such a column, a row still needs a name.
    ...(dimensions.length === 0 && { nameOf: ({ id }) => id }),
  })
  return renderLatex(table, [digestRemark(digest), ...(cut === undefined ? [] : [cut])])
}

const terminalMetrics = ['averageGap', 'ua', 'ra', 'ta', 'mia', 'rte'] as const satisfies MetricName[]

/** The table for a terminal, headings first. `*` marks the smallest average gap to its gold. */
export function terminalRows(overview: Overview): {
  readonly rows: readonly (readonly string[])[]
  readonly lines: Lines
} {
  const lines = linesOf(overview, limits.terminalRows)
  const dimensions = shownDimensions(overview, limits.terminalColumns)
  const table = figuresTable(overview, { names: terminalMetrics, dimensions, lines, nameOf: ({ id }) => id })
  const [[, ...heads] = [], ...rows] = textRows(table)
  return { rows: [['RUN', ...heads], ...rows], lines }
}

const figureNames = [...metricNames, 'floor'] as const
const lastHeads = ['label', 'method', ...figureHeads(figureNames), 'seconds', 'missing', 'digest', 'command']

/**
 * `results.csv`: a line for each method of each run, and for each run without one, with all digits
 * of the figures.
 */
export function csvOfFigures({ comparison: { columns }, runs }: Overview): string {
  const reserved = ['run', ...lastHeads]
  // A column may have the name of a figure.
  const names = columns.map(({ name, path }) => (reserved.includes(name) ? `spec:${path}` : name))
  const lines = runs.flatMap(({ run, entries, missing }) => {
    const start = [run.id, ...columns.map((_, i) => run.values[i] ?? null)]
    if (missing !== undefined)
      return [
        [...start, null, null, ...figureHeads(figureNames).map(() => null), null, missing, null, run.command],
      ]
    return entries.map(({ row, outcome }) => {
      const figures = namedFigures({ ...row.metrics, floor: outcome.floor }, figureNames)
      return [
        ...[...start, row.label, row.method],
        ...figureFields(figures),
        outcome.seconds,
        reasonsField(figures),
        ...[outcome.digest, run.command],
      ]
    })
  })
  return renderCsv([['run', ...names, ...lastHeads], ...lines])
}
