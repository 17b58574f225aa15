import { fullCell, type Cell, type Column, type Row, type Table } from '../../../report/blocks.ts'
import { listOf, listText, type Query, type QueryChange } from '../shell/route.ts'

/** How the reader looks at a table: its order, and which rows and columns are hidden or pinned. */
export interface TableView {
  readonly sort?: { readonly column: string; readonly isDescending: boolean }
  readonly hiddenColumns: readonly string[]
  readonly hiddenRows: readonly string[]
  /** These columns stand behind the first and stay visible. */
  readonly pinnedColumns: readonly string[]
  /** These rows stand at the top. */
  readonly pinnedRows: readonly string[]
  /** Whether the second figures of cells, such as differences to gold, replace the first ones. */
  readonly isBeside: boolean
}

const lists = {
  hiddenColumns: 'hide',
  hiddenRows: 'hide-rows',
  pinnedColumns: 'pin',
  pinnedRows: 'pin-rows',
} as const

/** Reads the view of a table from the query of the page's address. */
export function readTableView(query: Query, id: string): TableView {
  const of = (name: string) => query[`${id}.${name}`]
  const sort = of('sort')
  return {
    ...(sort !== undefined &&
      sort !== '' && {
        sort: sort.startsWith('-')
          ? { column: sort.slice(1), isDescending: true }
          : { column: sort, isDescending: false },
      }),
    hiddenColumns: listOf(of(lists.hiddenColumns)),
    hiddenRows: listOf(of(lists.hiddenRows)),
    pinnedColumns: listOf(of(lists.pinnedColumns)),
    pinnedRows: listOf(of(lists.pinnedRows)),
    isBeside: of('show') === 'second',
  }
}

/** Returns the changes of the query that set a view. */
export function tableQuery(id: string, view: TableView): QueryChange {
  const { sort, isBeside } = view
  return {
    [`${id}.sort`]: sort && `${sort.isDescending ? '-' : ''}${sort.column}`,
    ...Object.fromEntries(
      Object.entries(lists).map(([key, name]) => [
        `${id}.${name}`,
        listText(view[key as keyof typeof lists]),
      ]),
    ),
    [`${id}.show`]: isBeside ? 'second' : undefined,
  }
}

/** A column with its name in addresses and its place in the cells of rows. */
export interface NamedColumn {
  readonly key: string
  readonly index: number
  readonly column: Column
}

export interface NamedRow {
  readonly key: string
  readonly row: Row
}

/** The columns by names that differ. */
export function namedColumns({ columns }: Table): readonly NamedColumn[] {
  const names = distinct(
    columns.map(({ label, group }) => (group === undefined ? label : `${group} ${label}`)),
  )
  return columns.map((column, index) => ({ key: names[index] ?? '', index, column }))
}

/** The rows by the texts of their headings, made different. */
export function namedRows({ rows }: Table): readonly NamedRow[] {
  const names = distinct(rows.map(({ cells }) => fullCell(cells[0] ?? '').text))
  return rows.map((row, i) => ({ key: names[i] ?? '', row }))
}

function distinct(names: readonly string[]): readonly string[] {
  const seen = new Map<string, number>()
  return names.map((name) => {
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    return count === 1 ? name : `${name} ~${count}`
  })
}

/** The visible parts of a table in the order in which they are shown. */
export interface ArrangedTable {
  readonly columns: readonly NamedColumn[]
  /** The number of pinned columns, which follow the first one. */
  readonly pinned: number
  readonly pinnedRows: readonly NamedRow[]
  readonly body: readonly NamedRow[]
  readonly floor: readonly NamedRow[]
  readonly total: readonly NamedRow[]
}

export function arrange(table: Table, view: TableView): ArrangedTable {
  const [first, ...others] = namedColumns(table)
  const isHidden = ({ key }: NamedColumn) => view.hiddenColumns.includes(key)
  const isPinned = ({ key }: { readonly key: string }) => view.pinnedColumns.includes(key)
  const shown = others.filter((column) => !isHidden(column))
  const pinned = shown.filter(isPinned)
  const rows = namedRows(table).filter(({ key }) => !view.hiddenRows.includes(key))
  const isPinnedRow = ({ key }: NamedRow) => view.pinnedRows.includes(key)
  const sorted = (wanted: (row: NamedRow) => boolean) => sortedRows(table, view, rows.filter(wanted))
  const styled = (row: NamedRow) => row.row.style === 'floor' || row.row.style === 'total'
  return {
    columns: [...(first ? [first] : []), ...pinned, ...shown.filter((column) => !isPinned(column))],
    pinned: pinned.length,
    pinnedRows: sorted((row) => isPinnedRow(row) && row.row.style !== 'total'),
    body: sorted((row) => !isPinnedRow(row) && !styled(row)),
    floor: sorted((row) => !isPinnedRow(row) && row.row.style === 'floor'),
    total: rows.filter(({ row }) => row.style === 'total'),
  }
}

function sortedRows(
  table: Table,
  { sort, isBeside }: TableView,
  rows: readonly NamedRow[],
): readonly NamedRow[] {
  const column = sort && namedColumns(table).find(({ key }) => key === sort.column)
  if (!column) return rows
  const sign = sort.isDescending ? -1 : 1
  return rows
    .map((row) => ({ row, value: sortValue(row.row.cells[column.index] ?? '', isBeside) }))
    .sort((a, b) => compared(a.value, b.value, sign))
    .map(({ row }) => row)
}

/** Numbers come before texts, and cells without a value come last in both orders. */
function compared(a: SortValue, b: SortValue, sign: number): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined)
  if (typeof a === 'number' && typeof b === 'number') return sign * (a - b)
  if (typeof a === 'string' && typeof b === 'string') return sign * (a < b ? -1 : a > b ? 1 : 0)
  return typeof a === 'number' ? -1 : 1
}

type SortValue = number | string | undefined

/** The value of a cell in an order. Second figures count by how far they are from 0. */
function sortValue(cell: Cell, isBeside: boolean): SortValue {
  const { text, exact, beside } = fullCell(cell)
  if (isBeside && beside !== undefined) return Math.abs(numberIn(beside) ?? Infinity)
  if (text === 'n/a' || text === '–' || text === '') return undefined
  return exact ?? numberIn(text) ?? text.toLowerCase()
}

/** Reads a number that report/format.ts wrote. Undefined for other texts. */
export function numberIn(text: string): number | undefined {
  const found = /^([+−-]?)(\d[\d,]*(?:\.\d+)?)(?: × 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?\s?%?$/.exec(text)
  if (!found) return undefined
  const [, sign = '', digits = '', power = ''] = found
  const exponent = [...power].map((digit) => (digit === '⁻' ? '-' : '⁰¹²³⁴⁵⁶⁷⁸⁹'.indexOf(digit))).join('')
  const value = Number(`${digits.replaceAll(',', '')}e${exponent === '' ? '0' : exponent}`)
  return sign === '−' || sign === '-' ? -value : value
}

/** Returns the view after a click on the heading of a column: ascending, descending, as given. */
export function nextSort({ sort, ...view }: TableView, column: string): TableView {
  if (sort?.column !== column) return { ...view, sort: { column, isDescending: false } }
  return sort.isDescending ? view : { ...view, sort: { column, isDescending: true } }
}

/** Returns the list with an item added, or without it if it has it. */
export function toggled(list: readonly string[], item: string): readonly string[] {
  return list.includes(item) ? list.filter((one) => one !== item) : [...list, item]
}

/** The table as it is shown, for exports of it. */
export function shownTable(table: Table, view: TableView): Table {
  const { columns, pinnedRows, body, floor, total } = arrange(table, view)
  return {
    ...table,
    columns: columns.map(({ column }) => column),
    rows: [...pinnedRows, ...body, ...floor, ...total].map(({ row }) => ({
      ...row,
      cells: columns.map(({ index }) => shownCell(row.cells[index] ?? '', view)),
    })),
  }
}

/** A cell as it is shown: if second figures are chosen, they take the place of the first. */
export function shownCell(cell: Cell, { isBeside }: TableView): Cell {
  const full = fullCell(cell)
  if (!isBeside || full.beside === undefined) return cell
  const { beside, interval: _, exact: __, ...rest } = full
  return { ...rest, text: beside, beside: undefined }
}
