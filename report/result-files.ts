import { shownMetrics, type ResultRow } from '../experiment/records/results.ts'
import { commandOf } from './command.ts'
import {
  digestRemark,
  figureFields,
  figureHeads,
  metricNames,
  namedFigures,
  reasonsField,
} from './figure-fields.ts'
import type { ReportInput } from './input.ts'
import { renderCsv } from './render/csv.ts'
import { renderLatex } from './render/latex.ts'
import { floorRows, goldFigures } from './results.ts'
import { resultsTable } from './sections/results.ts'

/** The results of one run for other programs, as comparison/files.ts has those of comparisons. */

/** `results.tex`: the table of results for a paper. */
export function latexOfRun(input: ReportInput, rows: readonly ResultRow[], digest: string): string {
  const { plan, spec, id } = input.run
  const table = resultsTable(rows, shownMetrics(spec), {
    ...(plan.gold.length > 0 && { gold: goldFigures(input) }),
    floor: floorRows(plan, rows),
  })
  return renderLatex(table, [`Run: ${id}`, digestRemark(digest)])
}

/** `results.csv`: a line for each row of the results, with all digits of the figures. */
export function csvOfRun(input: ReportInput, rows: readonly ResultRow[], digest: string): string {
  const { plan, id } = input.run
  const floor = floorRows(plan, rows)
  const command = commandOf(input.run)
  return renderCsv([
    ['run', 'label', 'method', 'is_floor', ...figureHeads(metricNames), 'missing', 'digest', 'command'],
    ...rows.map((row) => {
      const figures = namedFigures(row.metrics, metricNames)
      return [
        ...[id, row.label, row.method, floor.includes(row)],
        ...figureFields(figures),
        ...[reasonsField(figures), digest, command],
      ]
    }),
  ])
}
