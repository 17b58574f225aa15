import type { Interval } from '../../../../common/interval.ts'
import type { SweepCell } from '../../../contract.ts'

/** A method in a cell of a sweep, or a cell without results. */
export interface SweepPoint {
  readonly key: string
  readonly cell: SweepCell
  /** The number of the cell, from 0. */
  readonly number: number
  /** The method. Absent if the cell has no results yet. */
  readonly label?: string
  readonly gap?: number
  readonly interval?: Interval
  readonly rte?: number
}

/** All points in the order of the cells. */
export function pointsOf(cells: readonly SweepCell[]): readonly SweepPoint[] {
  return cells.flatMap((cell, number): readonly SweepPoint[] =>
    cell.rows.length === 0
      ? [{ key: cell.run, cell, number }]
      : cell.rows.map((row, i) => ({ key: `${cell.run} ${i}`, cell, number, ...row })),
  )
}

/** A property by which points can be arranged. */
export interface Axis {
  readonly key: string
  readonly title: string
  /** The place from 0 to 1, or undefined if the point has no value. */
  readonly place: (point: SweepPoint) => number | undefined
  readonly ticks: readonly Tick[]
  /** The distinct values with their places, if they are the values of a parameter. */
  readonly values?: readonly Tick[]
  readonly textOf: (point: SweepPoint) => string | undefined
}

export interface Tick {
  readonly at: number
  readonly text: string
}

/** The axes: the parameters that vary, the method if it varies, the gap and the cost. */
export function axesOf(points: readonly SweepPoint[], parameters: readonly string[]): readonly Axis[] {
  return [
    ...parameters.flatMap((name) => valueAxis(name, name, points, ({ cell }) => cell.values[name])),
    ...valueAxis('method', 'method', points, ({ label }) => label),
    ...rangeAxis('gap', 'Avg. gap', points, ({ gap }) => gap, Math.log1p),
    ...rangeAxis('rte', 'RTE', points, ({ rte = 0 }) => (rte > 0 ? rte : undefined), Math.log),
  ]
}

/** From this ratio on, numbers are placed by their logarithms. */
const LOGARITHMIC = 8

function valueAxis(
  key: string,
  title: string,
  points: readonly SweepPoint[],
  textOf: (point: SweepPoint) => string | undefined,
): readonly Axis[] {
  const distinct = [...new Set(points.flatMap((point) => textOf(point) ?? []))]
  if (distinct.length < 2) return []
  const isNumeric = distinct.every((text) => text.trim() !== '' && Number.isFinite(Number(text)))
  const values = isNumeric ? distinct.sort((a, b) => Number(a) - Number(b)) : distinct
  const places = new Map(
    isNumeric ? numericPlaces(values) : values.map((text, i) => [text, i / (values.length - 1)]),
  )
  const ticks = values.map((text) => ({ at: places.get(text) ?? 0, text }))
  return [
    {
      ...{ key, title, textOf, values: ticks },
      place: (point) => places.get(textOf(point) ?? ''),
      ticks: apart(ticks),
    },
  ]
}

function numericPlaces(values: readonly string[]): readonly (readonly [string, number])[] {
  const numbers = values.map(Number)
  const [low = 0, high = 1] = [numbers[0], numbers.at(-1)]
  const scaled = low > 0 && high / low >= LOGARITHMIC ? Math.log : (value: number) => value
  return values.map((text) => [text, (scaled(Number(text)) - scaled(low)) / (scaled(high) - scaled(low))])
}

function rangeAxis(
  key: string,
  title: string,
  points: readonly SweepPoint[],
  of: (point: SweepPoint) => number | undefined,
  scaled: (value: number) => number,
): readonly Axis[] {
  const values = points.flatMap((point) => of(point) ?? []).sort((a, b) => a - b)
  const [low, high] = [values[0], values.at(-1)]
  if (low === undefined || high === undefined || low === high) return []
  const at = (value: number) => (scaled(value) - scaled(low)) / (scaled(high) - scaled(low))
  const middle = values[Math.floor(values.length / 2)] ?? low
  return [
    {
      ...{ key, title },
      place: (point) => {
        const value = of(point)
        return value === undefined ? undefined : at(value)
      },
      ticks: apart([low, middle, high].map((value) => ({ at: at(value), text: shortNumber(value) }))),
      textOf: (point) => {
        const value = of(point)
        return value === undefined ? undefined : shortNumber(value)
      },
    },
  ]
}

const shortNumber = (value: number) => String(Number(value.toPrecision(3)))

/** Ticks whose texts do not touch. The ends go first. */
function apart(ticks: readonly Tick[]): readonly Tick[] {
  const [first, ...rest] = ticks
  const last = rest.pop()
  const kept = [first, last].flatMap((tick) => tick ?? [])
  for (const tick of rest) if (kept.every(({ at }) => Math.abs(at - tick.at) >= 0.07)) kept.push(tick)
  return kept
}

/**
 * The points of methods whose gap is not the same in all cells. The others do not depend on the
 * parameters and would cover the lowest gap of those that do. All points if no method is such.
 */
export function dependentPoints(points: readonly SweepPoint[]): readonly SweepPoint[] {
  const gaps = new Map<string | undefined, Set<number>>()
  for (const { label, gap } of points)
    if (gap !== undefined) gaps.set(label, (gaps.get(label) ?? new Set()).add(gap))
  const dependent = points.filter(({ label }) => (gaps.get(label)?.size ?? 0) > 1)
  return dependent.length > 0 ? dependent : points
}

/** The chosen range of each axis, as places from 0 to 1. */
export type Brushes = Readonly<Record<string, readonly [low: number, high: number]>>

const PREFIX = 'brush.'

/** Reads the ranges from the query of the page's address. */
export function readBrushes(query: Readonly<Record<string, string>>): Brushes {
  return Object.fromEntries(
    Object.entries(query).flatMap(([name, text]) => {
      if (!name.startsWith(PREFIX)) return []
      const [low = NaN, high = NaN] = text.split('~').map(Number)
      return low <= high ? [[name.slice(PREFIX.length), [low, high] as const]] : []
    }),
  )
}

/** Returns the changes of the query that replace one set of ranges by another. */
export function brushQuery(before: Brushes, after: Brushes): Readonly<Record<string, string | undefined>> {
  const texts = Object.entries(after).map(([key, ends]) => [`${PREFIX}${key}`, ends.map(short).join('~')])
  const gone = Object.keys(before).map((key) => [`${PREFIX}${key}`, undefined])
  return Object.fromEntries([...gone, ...texts]) as Record<string, string | undefined>
}

/** Four decimals are finer than a pixel. */
const short = (value: number) => String(Number(value.toFixed(4)))

/** Returns whether a point is within all ranges. A point without a value is outside of a range. */
export function isWithin(point: SweepPoint, axes: readonly Axis[], brushes: Brushes): boolean {
  return axes.every(({ key, place }) => {
    const brush = brushes[key]
    if (!brush) return true
    const at = place(point)
    return at !== undefined && at >= brush[0] - 0.00005 && at <= brush[1] + 0.00005
  })
}

/** The range that contains one value of a parameter alone. */
export function brushOfValue({ values = [] }: Axis, at: number): readonly [number, number] {
  const others = values.filter((value) => value.at !== at)
  const margin = Math.min(0.01, ...others.map((value) => Math.abs(value.at - at) / 3))
  return [at - margin, at + margin]
}

/** The values of a parameter in a range. */
export function valuesWithin({ values = [] }: Axis, [low, high]: readonly [number, number]): readonly Tick[] {
  return values.filter(({ at }) => at >= low && at <= high)
}

/** The lowest gap for each pair of values of two parameters. */
export interface HeatCell {
  readonly across: string
  readonly up: string
  readonly gap: number
  readonly count: number
  readonly best: SweepPoint
}

export function heatCells(points: readonly SweepPoint[], across: Axis, up: Axis): readonly HeatCell[] {
  type Cell = { -readonly [key in keyof HeatCell]: HeatCell[key] }
  const cells: Cell[] = []
  const columns = new Map<string, Map<string, Cell>>()
  for (const best of points) {
    const [x, y] = [across.textOf(best), up.textOf(best)]
    const { gap } = best
    if (x === undefined || y === undefined || gap === undefined) continue
    const column = columns.get(x) ?? new Map<string, Cell>()
    const known = column.get(y)
    if (known) {
      known.count += 1
      if (gap < known.gap) Object.assign(known, { gap, best })
      continue
    }
    const cell = { ...{ across: x, up: y, gap, best }, count: 1 }
    cells.push(cell)
    columns.set(x, column.set(y, cell))
  }
  return cells
}

/** At most so many of the items, at even distances. */
export function sampled<Item>(items: readonly Item[], most: number): readonly Item[] {
  if (items.length <= most) return items
  return Array.from({ length: most }, (_, i) => items[Math.floor((i * items.length) / most)]).flatMap(
    (item) => item ?? [],
  )
}

/** The orders of the board. */
export function sortedPoints(
  points: readonly SweepPoint[],
  axes: readonly Axis[],
  sort: string | undefined,
): readonly SweepPoint[] {
  if (sort === undefined || sort === '') return points
  const isDescending = sort.startsWith('-')
  const name = isDescending ? sort.slice(1) : sort
  const sign = isDescending ? -1 : 1
  const axis = axes.find(({ key }) => key === name)
  const valueOf = axis
    ? axis.place
    : name === 'status'
      ? ({ cell }: SweepPoint) => order.indexOf(cell.state)
      : ({ number }: SweepPoint) => number
  return points
    .map((point) => ({ point, value: valueOf(point) }))
    .sort((a, b) => {
      if (a.value === undefined || b.value === undefined)
        return Number(a.value === undefined) - Number(b.value === undefined)
      return sign * (a.value - b.value)
    })
    .map(({ point }) => point)
}

const order: readonly SweepCell['state'][] = [
  ...(['running', 'paused', 'waiting', 'failed', 'incomplete', 'interrupted'] as const),
  ...(['cancelled', 'stopped', 'completed'] as const),
]
