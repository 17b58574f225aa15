import { useLayoutEffect, useRef } from 'preact/hooks'
import { Footnotes, fullCell, type Column, type Table } from '../../../report/blocks.ts'
import { useRoute } from '../shell/use-route.tsx'
import { CellContent } from './cell-content.tsx'
import { cellDetails } from './table-files.ts'
import { TableMenus } from './table-menus.tsx'
import {
  arrange,
  nextSort,
  readTableView,
  shownCell,
  tableQuery,
  type NamedColumn,
  type NamedRow,
  type TableView,
} from './table-view.ts'
import { Notation } from './text.tsx'
import { detailsOf, useCellDetails } from './use-cell-details.tsx'

/** A table whose order, rows and columns the reader chooses. The address holds the choice. */
export function DataTable({ table }: { readonly table: Table }) {
  const { query, setQuery } = useRoute()
  const view = readTableView(query, table.id)
  const setView = (next: TableView) => {
    setQuery(tableQuery(table.id, next))
  }
  const arranged = arrange(table, view)
  const { columns, pinned } = arranged
  const element = useRef<HTMLTableElement>(null)
  usePinnedColumns(element, pinned)
  const { handlers, tip } = useCellDetails(element)
  const footnotes = new Footnotes()
  const isWide = table.columns.length > 8
  const rowsOf = (rows: readonly NamedRow[]) =>
    rows.map((row) => (
      <RowView key={row.key} row={row} columns={columns} view={view} table={table} footnotes={footnotes} />
    ))
  const pinnedRows = rowsOf(arranged.pinnedRows)
  const body = rowsOf(arranged.body)
  const floor = rowsOf(arranged.floor)
  const total = rowsOf(arranged.total)
  return (
    <div class="data-table">
      <TableMenus table={table} view={view} onChange={setView} />
      <div
        class={`scroll${isWide || pinned > 0 ? ' wide' : ''}`}
        tabIndex={0}
        role="region"
        aria-label={table.name}
      >
        <table class={isWide ? 'dense' : undefined} ref={element} {...handlers}>
          <thead>
            <GroupRow columns={columns} />
            <tr>
              {columns.map((named) => (
                <HeadCell
                  key={named.key}
                  named={named}
                  view={view}
                  onSort={() => {
                    setView(nextSort(view, named.key))
                  }}
                />
              ))}
            </tr>
          </thead>
          {pinnedRows.length > 0 && <tbody class="pinned">{pinnedRows}</tbody>}
          <tbody>{body}</tbody>
          {floor.length > 0 && (
            <tbody class="floor">
              {table.floorTitle !== undefined && (
                <tr class="about">
                  <th colSpan={columns.length} scope="rowgroup">
                    <span>{table.floorTitle}</span>
                  </th>
                </tr>
              )}
              {floor}
            </tbody>
          )}
          {total.length > 0 && <tfoot>{total}</tfoot>}
        </table>
      </div>
      {tip}
      {table.notes?.map((note) => (
        <p key={note} class="note">
          {note}
        </p>
      ))}
      {footnotes.texts.length > 0 && (
        <ol class="footnotes">
          {footnotes.texts.map((note, i) => (
            <li key={note} id={`${table.id}-${i + 1}`}>
              {note}
            </li>
          ))}
        </ol>
      )}
    </div>
  )
}

/** The names above groups of columns. Columns that a reader has moved apart have a name each. */
function GroupRow({ columns }: { readonly columns: readonly NamedColumn[] }) {
  if (columns.every(({ column }) => column.group === undefined)) return null
  const runs: { group: string | undefined; count: number }[] = []
  for (const { column } of columns) {
    const last = runs.at(-1)
    if (last && last.group === column.group) last.count++
    else runs.push({ group: column.group, count: 1 })
  }
  return (
    <tr>
      {runs.map(({ group, count }, i) =>
        group === undefined ? (
          <td key={i} colSpan={count} />
        ) : (
          <th key={i} scope="colgroup" class="split group" colSpan={count}>
            {group}
          </th>
        ),
      )}
    </tr>
  )
}

function HeadCell({
  named: { key, column },
  view: { sort },
  onSort,
}: {
  readonly named: NamedColumn
  readonly view: TableView
  readonly onSort: () => void
}) {
  const { label, unit } = column
  const order = sort?.column === key ? (sort.isDescending ? 'descending' : 'ascending') : undefined
  return (
    <th scope="col" class={classOf(column, label.length > 12 ? 'wrap' : '')} aria-sort={order}>
      <button type="button" class="sort" onClick={onSort} title="Sort by this column">
        <Notation text={label} />
        {order && <span aria-hidden="true">{order === 'ascending' ? ' ↑' : ' ↓'}</span>}
        {unit !== undefined && unit !== '' && <small>{unit}</small>}
      </button>
    </th>
  )
}

function RowView({
  row: { row },
  columns,
  view,
  table,
  footnotes,
}: {
  readonly row: NamedRow
  readonly columns: readonly NamedColumn[]
  readonly view: TableView
  readonly table: Table
  readonly footnotes: Footnotes
}) {
  const name = fullCell(row.cells[0] ?? '').text
  return (
    <tr class={row.style === 'best' ? 'closest' : undefined}>
      {columns.map(({ key, index, column }, i) => {
        const cell = shownCell(row.cells[index] ?? '', view)
        const content = <CellContent cell={cell} tableId={table.id} footnotes={footnotes} />
        if (i === 0)
          return (
            <th key={key} scope="row">
              {content}
            </th>
          )
        const { tone } = fullCell(cell)
        return (
          <td
            key={key}
            class={classOf(column, tone ?? '')}
            {...detailsOf(`${name}, ${column.label}`, cellDetails(row.cells[index] ?? ''))}
          >
            {content}
          </td>
        )
      })}
    </tr>
  )
}

function classOf({ text, key, split }: Column, more: string): string | undefined {
  const names = [text && 'text', key && 'key', split && 'split', more].filter(Boolean)
  return names.length === 0 ? undefined : names.join(' ')
}

/** Lets the pinned columns stay behind the first one while the table is scrolled. */
function usePinnedColumns(table: { readonly current: HTMLTableElement | null }, pinned: number): void {
  useLayoutEffect(() => {
    const rows = [...(table.current?.rows ?? [])].filter(({ cells }) => cells.length > pinned + 1)
    const widths = [...(rows.at(-1)?.cells ?? [])].slice(0, pinned).map(({ offsetWidth }) => offsetWidth)
    for (const { cells } of rows)
      [...cells].forEach((cell, i) => {
        const isPinned = i > 0 && i <= pinned
        cell.classList.toggle('pin', isPinned)
        cell.style.left = isPinned ? `${widths.slice(0, i).reduce((sum, width) => sum + width, 0)}px` : ''
      })
  })
}
