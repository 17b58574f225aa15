import { useCallback, useMemo, useState } from 'preact/hooks'
import { percent } from '../../../../report/format.ts'
import type { SweepCell } from '../../../contract.ts'
import { Choice } from '../../controls/choice.tsx'
import { FilterForm } from '../../controls/filter-form.tsx'
import { useRoute } from '../../shell/use-route.tsx'
import { Board } from './board.tsx'
import { CostChart } from './cost-chart.tsx'
import { HeatMap } from './heat-map.tsx'
import { MOST_LINES, ParallelCoordinates } from './parallel.tsx'
import {
  axesOf,
  brushOfValue,
  brushQuery,
  isWithin,
  pointsOf,
  readBrushes,
  sortedPoints,
  valuesWithin,
  type Axis,
  type Brushes,
  type SweepPoint,
} from './points.ts'

interface Props {
  readonly cells: readonly SweepCell[]
  readonly parameters: readonly string[]
  readonly onOpen: (point: SweepPoint) => void
}

/** The cells of a sweep in charts and a board, with one selection for all of them. */
export function Explorer({ cells, parameters, onOpen }: Props) {
  const { query, setQuery } = useRoute()
  const points = useMemo(() => pointsOf(cells), [cells])
  const axes = useMemo(() => axesOf(points, parameters), [points, parameters])
  const inAddress = JSON.stringify(readBrushes(query))
  const [dragged, setDragged] = useState<Brushes>()
  const brushes = useMemo(() => dragged ?? (JSON.parse(inAddress) as Brushes), [dragged, inAddress])
  const selected = useMemo(() => selection(points, axes, brushes), [points, axes, brushes])
  const isSelected = useCallback((point: SweepPoint) => selected.has(point), [selected])
  // The lines follow the pointer. The other charts follow when the reader lets go.
  const settled = useMemo(
    () => selection(points, axes, JSON.parse(inAddress) as Brushes),
    [points, axes, inAddress],
  )
  const isSettled = useCallback((point: SweepPoint) => settled.has(point), [settled])
  const shown = useMemo(() => sortedPoints([...settled], axes, query.sort), [settled, axes, query.sort])
  // While the reader drags, the address stays: it is for the range that is chosen in the end.
  const brush = (next: Brushes, isOver = true) => {
    setDragged(isOver ? undefined : next)
    if (isOver) setQuery(brushQuery(readBrushes(query), next))
  }
  const textOf = (point: SweepPoint) =>
    [
      ...parameters.flatMap((name) => {
        const value = point.cell.values[name]
        return value === undefined ? [] : [`${name} ${value}`]
      }),
      ...(point.label === undefined ? [] : [point.label]),
      ...(point.gap === undefined ? [] : [`gap ${percent(point.gap)}`]),
    ].join(', ')
  // These are not rendered again for each move of a drag.
  const settledCharts = useMemo(
    () => (
      <>
        <div class="pair">
          <section>
            <h2>Cost against gap</h2>
            <CostChart points={points} isSelected={isSettled} textOf={textOf} onOpen={onOpen} />
          </section>
          <section>
            <h2>Pairs of settings</h2>
            <HeatMap axes={axes} points={shown} brushes={brushes} onBrush={brush} />
          </section>
        </div>
        <section>
          <h2>Cells</h2>
          <Board points={shown} axes={axes} all={points.length} />
        </section>
      </>
    ),
    [points, axes, isSettled, shown],
  )
  return (
    <>
      {axes.length >= 2 && (
        <section>
          <h2>All settings at once</h2>
          <p>
            A line is a result: its settings, its average gap to gold and its cost. Drag along an axis to
            choose a range, and click on the axis to remove the range.
            {points.length > MOST_LINES &&
              ` An exported SVG has at most ${MOST_LINES} selected and ${MOST_LINES} other lines, at even distances.`}
          </p>
          <ParallelCoordinates
            axes={axes}
            points={points}
            isSelected={isSelected}
            brushes={brushes}
            onBrush={brush}
          />
        </section>
      )}
      <ValueChoices axes={axes} brushes={brushes} onBrush={brush} />
      {settledCharts}
    </>
  )
}

function selection(
  points: readonly SweepPoint[],
  axes: readonly Axis[],
  brushes: Brushes,
): ReadonlySet<SweepPoint> {
  return new Set(points.filter((point) => isWithin(point, axes, brushes)))
}

/** The same choice as by dragging, for a keyboard. */
function ValueChoices({
  axes,
  brushes,
  onBrush,
}: {
  readonly axes: readonly Axis[]
  readonly brushes: Brushes
  readonly onBrush: (brushes: Brushes) => void
}) {
  const chosenOf = (axis: Axis): string => {
    const brush = brushes[axis.key]
    if (!brush) return ''
    const [first, ...others] = valuesWithin(axis, brush)
    return first && others.length === 0 ? first.text : 'range'
  }
  return (
    <FilterForm>
      {axes.map((axis) => {
        if (!axis.values) return null
        const chosen = chosenOf(axis)
        return (
          <Choice
            key={axis.key}
            title={axis.title}
            value={chosen}
            options={[
              ['', 'all'],
              ...(chosen === 'range' ? [['range', 'a range'] as const] : []),
              ...axis.values.map(({ text }) => [text, text] as const),
            ]}
            onChange={(value) => {
              const { [axis.key]: _, ...others } = brushes
              const found = axis.values?.find(({ text }) => text === value)
              onBrush(found ? { ...others, [axis.key]: brushOfValue(axis, found.at) } : others)
            }}
          />
        )
      })}
      {Object.keys(brushes).length > 0 && (
        <button
          type="button"
          class="small"
          onClick={() => {
            onBrush({})
          }}
        >
          Select all
        </button>
      )}
    </FilterForm>
  )
}
