import { useRef } from 'preact/hooks'
import type { StageProgress } from '../../../../experiment/records/run.ts'
import type { Table } from '../../../../report/blocks.ts'
import { percent, significant } from '../../../../report/format.ts'
import { ExportMenu } from '../../controls/export-menu.tsx'
import { ProgressBar, StatusBadge } from '../../controls/status.tsx'
import { useWindowRows } from '../../controls/use-window-rows.ts'
import { tableCsv, tableLatex } from '../../document/table-files.ts'
import { hashOf } from '../../shell/route.ts'
import { useRoute } from '../../shell/use-route.tsx'
import type { Axis, SweepPoint } from './points.ts'

interface Props {
  readonly points: readonly SweepPoint[]
  readonly axes: readonly Axis[]
  /** All points of the sweep, selected or not. */
  readonly all: number
}

const ROW = 42

/** The cells of a sweep. A cell links to its run, and shows the stages that it is computing. */
export function Board({ points, axes, all }: Props) {
  const { query, setQuery } = useRoute()
  const body = useRef<HTMLTableSectionElement>(null)
  const { items, height, offset } = useWindowRows(body, points.length, ROW)
  const parameters = axes.filter(({ values, key }) => values && key !== 'method')
  const hasMethods = axes.some(({ key }) => key === 'method')
  const columns = [
    { key: 'number', title: 'Cell' },
    ...parameters,
    ...(hasMethods ? [{ key: 'method', title: 'Method' }] : []),
    { key: 'status', title: 'Status' },
    { key: 'gap', title: 'Avg. gap' },
    { key: 'rte', title: 'RTE' },
  ]
  // Words are aligned to the left, numbers to the right.
  const wordKeys = new Set(['status', 'method', ...parameters.filter(hasWords).map(({ key }) => key)])
  const before = (items[0]?.start ?? offset) - offset
  const after = height - ((items.at(-1)?.end ?? offset) - offset)
  const table = () => boardTable(points, parameters, hasMethods)
  return (
    <>
      <div class="list-head">
        <p role="status">{points.length === all ? `${all} results` : `${points.length} of ${all} results`}</p>
        <ExportMenu name="cells" files={{ csv: () => tableCsv(table()), tex: () => tableLatex(table()) }} />
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-label="Cells">
        <table class="board" aria-rowcount={points.length + 1}>
          <thead>
            <tr>
              {columns.map(({ key, title }) => (
                <SortHead
                  key={key}
                  name={key}
                  title={title}
                  isText={wordKeys.has(key)}
                  sort={query.sort}
                  onSort={(sort) => {
                    setQuery({ sort })
                  }}
                />
              ))}
            </tr>
          </thead>
          <tbody ref={body}>
            {before > 0 && <Gap height={before} columns={columns.length} />}
            {items.map(({ index }) => {
              const point = points[index]
              return (
                point && (
                  <tr key={point.key} aria-rowindex={index + 2} class="board-row">
                    <th scope="row">
                      <a href={hashOf(['runs', point.cell.run])} title={point.cell.run}>
                        {point.number + 1}
                      </a>
                    </th>
                    {parameters.map(({ key, textOf }) => (
                      <td key={key} class={wordKeys.has(key) ? 'text' : undefined}>
                        {textOf(point) ?? '–'}
                      </td>
                    ))}
                    {hasMethods && <td class="text">{point.label ?? '–'}</td>}
                    <td class="text">
                      <StatusBadge state={point.cell.state} />
                      {point.cell.running?.slice(0, 1).map((stage) => (
                        <Running key={stage.key} stage={stage} />
                      ))}
                    </td>
                    <td>{gapText(point)}</td>
                    <td>{point.rte === undefined ? '–' : significant(point.rte)}</td>
                  </tr>
                )
              )
            })}
            {after > 0 && <Gap height={after} columns={columns.length} />}
          </tbody>
        </table>
      </div>
    </>
  )
}

/** Whether the values of a parameter are words. */
function hasWords({ values = [] }: Axis): boolean {
  return values.some(({ text }) => Number.isNaN(Number(text)))
}

/** The place of rows that are not near the visible part. */
function Gap({ height, columns }: { readonly height: number; readonly columns: number }) {
  return (
    <tr aria-hidden="true" class="gap-row">
      <td colSpan={columns} style={{ height: `${height}px` }} />
    </tr>
  )
}

function SortHead({
  name,
  title,
  isText,
  sort,
  onSort,
}: {
  readonly name: string
  readonly title: string
  readonly isText: boolean
  readonly sort: string | undefined
  readonly onSort: (sort: string | undefined) => void
}) {
  const order = sort === name ? 'ascending' : sort === `-${name}` ? 'descending' : undefined
  const next = order === undefined ? name : order === 'ascending' ? `-${name}` : undefined
  return (
    <th scope="col" aria-sort={order} class={isText ? 'text' : undefined}>
      <button
        type="button"
        class="sort"
        onClick={() => {
          onSort(next)
        }}
      >
        {title}
        {order && <span aria-hidden="true">{order === 'ascending' ? ' ↑' : ' ↓'}</span>}
      </button>
    </th>
  )
}

function Running({ stage: { title, step, steps } }: { readonly stage: StageProgress }) {
  return (
    <span class="board-running">
      {step !== undefined && steps !== undefined && steps > 0 && (
        <ProgressBar share={step / steps} label={title} />
      )}
      <small>{title}</small>
    </span>
  )
}

function gapText({ gap, interval }: SweepPoint): string {
  if (gap === undefined) return '–'
  return interval === undefined
    ? percent(gap)
    : `${percent(gap)} (${percent(interval[0])} – ${percent(interval[1])})`
}

function boardTable(points: readonly SweepPoint[], parameters: readonly Axis[], hasMethods: boolean): Table {
  return {
    kind: 'table',
    name: 'Cells',
    id: 'cells',
    columns: [
      { label: 'Run' },
      ...parameters.map(({ title }) => ({ label: title })),
      ...(hasMethods ? [{ label: 'Method', text: true }] : []),
      { label: 'Status', text: true },
      { label: 'Avg. gap', unit: 'points' },
      { label: 'RTE' },
    ],
    rows: points.map((point) => ({
      cells: [
        point.cell.run,
        ...parameters.map(({ textOf }) => textOf(point) ?? '–'),
        ...(hasMethods ? [point.label ?? '–'] : []),
        point.cell.state,
        point.gap === undefined
          ? '–'
          : {
              ...{ text: percent(point.gap), isNumber: true, exact: point.gap },
              interval: point.interval && `(${point.interval.map(percent).join(' – ')})`,
            },
        point.rte === undefined ? '–' : { text: significant(point.rte), isNumber: true, exact: point.rte },
      ],
    })),
  }
}
