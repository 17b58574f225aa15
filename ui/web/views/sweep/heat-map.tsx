import type { Table } from '../../../../report/blocks.ts'
import { percent } from '../../../../report/format.ts'
import { tableCsv, tableLatex } from '../../document/table-files.ts'
import { Choice } from '../../controls/choice.tsx'
import { ExportMenu } from '../../controls/export-menu.tsx'
import { useRoute } from '../../shell/use-route.tsx'
import {
  brushOfValue,
  dependentPoints,
  heatCells,
  type Axis,
  type Brushes,
  type HeatCell,
  type SweepPoint,
} from './points.ts'

interface Props {
  readonly axes: readonly Axis[]
  readonly points: readonly SweepPoint[]
  readonly brushes: Brushes
  readonly onBrush: (brushes: Brushes) => void
}

/** A larger map has no room for its figures. */
const MOST_VALUES = 40

/**
 * The lowest gap of the methods that the parameters change, for each pair of values of two of them.
 * A click selects its cells.
 */
export function HeatMap({ axes, points, brushes, onBrush }: Props) {
  const { query, setQuery } = useRoute()
  const drawable = axes.filter(({ values }) => values && values.length <= MOST_VALUES)
  const across = drawable.find(({ key }) => key === query.across) ?? drawable[0]
  const others = drawable.filter((axis) => axis !== across)
  const up = others.find(({ key }) => key === query.up) ?? others[0]
  if (!across || !up) return <p class="note">A heat map needs two parameters that vary.</p>
  const cells = heatCells(dependentPoints(points), across, up)
  const byPlace = new Map(cells.map((cell) => [JSON.stringify([cell.across, cell.up]), cell]))
  const gaps = cells.map(({ gap }) => gap)
  const [low, high] = [Math.min(...gaps), Math.max(...gaps)]
  const shadeOf = (gap: number) =>
    high > low ? Math.round(10 * (1 - Math.log1p(gap - low) / Math.log1p(high - low))) : 10
  const choose = ({ best }: HeatCell) => {
    const ends = [across, up].flatMap((axis) => {
      const at = axis.place(best)
      return at === undefined ? [] : [[axis.key, brushOfValue(axis, at)] as const]
    })
    onBrush({ ...brushes, ...Object.fromEntries(ends) })
  }
  const nameOf = ({ key, title }: Axis) => [key, title] as const
  const rows = (up.values ?? []).map(({ text }) => text).reverse()
  const columns = (across.values ?? []).map(({ text }) => text)
  return (
    <div class="heat">
      <div class="chart-tools">
        <Choice
          title="Across"
          value={across.key}
          options={drawable.map(nameOf)}
          onChange={(key) => {
            setQuery({ across: key })
          }}
        />
        <Choice
          title="Up"
          value={up.key}
          options={others.map(nameOf)}
          onChange={(key) => {
            setQuery({ up: key })
          }}
        />
        <ExportMenu
          name={`gap over ${across.title} and ${up.title}`}
          files={{
            csv: () => tableCsv(heatTable(across, up, columns, rows, byPlace)),
            tex: () => tableLatex(heatTable(across, up, columns, rows, byPlace)),
          }}
        />
      </div>
      <div class="scroll wide" tabIndex={0} role="region" aria-label="Heat map">
        <table class="heat-map">
          <caption>
            Lowest average gap of the methods that these settings change: {up.title} (rows) by {across.title}{' '}
            (columns)
          </caption>
          <thead>
            <tr>
              <th scope="col">{up.title}</th>
              {columns.map((value) => (
                <th key={value} scope="col">
                  {value}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row}>
                <th scope="row">{row}</th>
                {columns.map((column) => {
                  const cell = byPlace.get(JSON.stringify([column, row]))
                  return (
                    <td key={column} class={cell ? `heat-${shadeOf(cell.gap)}` : 'empty'}>
                      {cell && (
                        <button
                          type="button"
                          onClick={() => {
                            choose(cell)
                          }}
                          aria-label={`${percent(cell.gap)} points at ${across.title} ${column} and ${up.title} ${row}. Select these cells.`}
                        >
                          {percent(cell.gap)}
                        </button>
                      )}
                    </td>
                  )
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  )
}

function heatTable(
  across: Axis,
  up: Axis,
  values: readonly string[],
  rows: readonly string[],
  byPlace: ReadonlyMap<string, HeatCell>,
): Table {
  return {
    kind: 'table',
    name: `Lowest average gap over ${across.title} and ${up.title}`,
    id: 'heat',
    columns: [{ label: up.title }, ...values.map((label) => ({ label, group: across.title }))],
    rows: rows.map((row) => ({
      cells: [
        row,
        ...values.map((column) => {
          const cell = byPlace.get(JSON.stringify([column, row]))
          return cell ? { text: percent(cell.gap), isNumber: true, exact: cell.gap } : '–'
        }),
      ],
    })),
  }
}
