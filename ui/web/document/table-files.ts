import { fullCell, type Cell, type Table } from '../../../report/blocks.ts'
import { renderCsv } from '../../../report/render/csv.ts'
import { renderLatex } from '../../../report/render/latex.ts'

/**
 * A table as CSV, with numbers as they were computed. Intervals and second figures have columns of
 * their own.
 */
export function tableCsv({ columns, rows, besideTitle }: Table): string {
  const parts = columns.flatMap((column, i) => {
    const cells = rows.map(({ cells }) => fullCell(cells[i] ?? ''))
    const unit = column.unit === undefined || column.unit === '' ? '' : ` (${column.unit})`
    const title = `${column.group === undefined ? '' : `${column.group} `}${column.label}${unit}`
    return [
      { title, values: cells.map(({ exact, text }) => exact ?? text) },
      { title: `${title} interval`, values: cells.map(({ interval }) => interval ?? null) },
      { title: `${title} ${besideTitle ?? 'beside'}`, values: cells.map(({ beside }) => beside ?? null) },
    ].filter(({ values }, part) => part === 0 || values.some((value) => value !== null))
  })
  return renderCsv([
    parts.map(({ title }) => title),
    ...rows.map((_, row) => parts.map(({ values }) => values[row] ?? null)),
  ])
}

/** A table as LaTeX, with the intervals that the page shows on demand. */
export function tableLatex(table: Table): string {
  return renderLatex(table, [table.name])
}

/** The parts of a cell that the page shows when the reader points at the cell. */
export function cellDetails(cell: Cell): readonly string[] {
  const { text, exact, interval, note, mark, digest } = fullCell(cell)
  return [
    ...(exact !== undefined && String(exact) !== text ? [`exactly ${exact}`] : []),
    ...(interval === undefined ? [] : [`95% interval ${interval}`]),
    ...(mark === undefined ? [] : [`marked ${mark}: see below the table`]),
    ...(note === undefined ? [] : [note]),
    ...(digest === undefined ? [] : [digest]),
  ]
}
