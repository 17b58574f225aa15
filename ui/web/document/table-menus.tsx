import type { Table } from '../../../report/blocks.ts'
import { ExportMenu } from '../controls/export-menu.tsx'
import { Popover } from '../controls/popover.tsx'
import { tableCsv, tableLatex } from './table-files.ts'
import { namedColumns, namedRows, shownTable, toggled, type TableView } from './table-view.ts'

/** The controls above a table. */
export function TableMenus({
  table,
  view,
  onChange,
}: {
  readonly table: Table
  readonly view: TableView
  readonly onChange: (view: TableView) => void
}) {
  const hidden = view.hiddenColumns.length + view.hiddenRows.length
  const viewLabel = hidden > 0 ? `View (${hidden} hidden)` : 'View'
  return (
    <div class="table-menus">
      {table.besideTitle !== undefined && (
        <div class="choice" role="group" aria-label="Figures">
          {[false, true].map((isBeside) => (
            <button
              key={String(isBeside)}
              type="button"
              class="small"
              aria-pressed={view.isBeside === isBeside}
              onClick={() => {
                onChange({ ...view, isBeside })
              }}
            >
              {isBeside ? table.besideTitle : 'values'}
            </button>
          ))}
        </div>
      )}
      <Popover label={viewLabel} title={`${viewLabel}: rows and columns of ${table.name}`}>
        <div class="view-choice">
          <Choices
            title="Columns"
            names={namedColumns(table)
              .slice(1)
              .map(({ key }) => key)}
            hidden={view.hiddenColumns}
            pinned={view.pinnedColumns}
            onHide={(hiddenColumns) => {
              onChange({ ...view, hiddenColumns })
            }}
            onPin={(pinnedColumns) => {
              onChange({ ...view, pinnedColumns })
            }}
          />
          <Choices
            title="Rows"
            names={namedRows(table).map(({ key }) => key)}
            hidden={view.hiddenRows}
            pinned={view.pinnedRows}
            onHide={(hiddenRows) => {
              onChange({ ...view, hiddenRows })
            }}
            onPin={(pinnedRows) => {
              onChange({ ...view, pinnedRows })
            }}
          />
        </div>
        <button
          type="button"
          class="small"
          onClick={() => {
            onChange({
              ...{ hiddenColumns: [], hiddenRows: [], pinnedColumns: [], pinnedRows: [] },
              isBeside: view.isBeside,
            })
          }}
        >
          Show all as given
        </button>
      </Popover>
      <ExportMenu
        name={table.name}
        files={{
          csv: () => tableCsv(shownTable(table, view)),
          tex: () => tableLatex(shownTable(table, view)),
        }}
      />
    </div>
  )
}

function Choices({
  title,
  names,
  hidden,
  pinned,
  onHide,
  onPin,
}: {
  readonly title: string
  readonly names: readonly string[]
  readonly hidden: readonly string[]
  readonly pinned: readonly string[]
  readonly onHide: (hidden: readonly string[]) => void
  readonly onPin: (pinned: readonly string[]) => void
}) {
  return (
    <fieldset>
      <legend>{title}</legend>
      {names.map((name) => (
        <div key={name} class="choice-line">
          <label>
            <input
              type="checkbox"
              checked={!hidden.includes(name)}
              onChange={() => {
                onHide(toggled(hidden, name))
              }}
            />{' '}
            {name}
          </label>
          <button
            type="button"
            class="pin-button"
            aria-pressed={pinned.includes(name)}
            aria-label={`Pin ${name}`}
            onClick={() => {
              onPin(toggled(pinned, name))
            }}
          >
            pin
          </button>
        </div>
      ))}
    </fieldset>
  )
}
