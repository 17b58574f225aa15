import type { TopLevelSpec } from 'vega-lite'
import { heading, note, prose, type Block, type Chart, type Section, type Text } from '../blocks.ts'
import { floorRule, gapScale } from '../charts/scales.ts'
import { facetsOf, type Facet } from './facets.ts'
import { limits } from './limits.ts'
import { distanceOf, groupedBy, type Dimension, type Entry, type Overview } from './overview.ts'
import { nameAndValue, valueText } from './words.ts'

/** The gap over each column of numbers: a line for each combination of the others. */
export function overSection(overview: Overview): Section | undefined {
  const { by, facets, left } = facetsOf(overview)
  const numeric = overview.dimensions.filter((one) => one.numeric && one !== by)
  const overs = [...numeric]
    .sort((a, b) => Number(b.name === 'rank') - Number(a.name === 'rank'))
    .slice(0, limits.overs)
  if (overs.length === 0 || facets.length === 0) return undefined
  const floorKey: Exclude<Text, string> = [
    ' The ',
    { swatch: 'dashed' },
    'dashed line is the floor, two gold models of different seeds.',
  ]
  const notes = [
    overview.entries.some(({ ends }) => ends) ? ' Bars are 95% intervals.' : '',
    ' Upwards the scale is the logarithm of 1 + gap.',
    left === undefined ? '' : ` ${left}`,
    numeric.length > overs.length
      ? ` Drawn over the first ${overs.length} of ${numeric.length} columns of numbers.`
      : '',
  ]
  return {
    title: 'Gap over settings',
    pageOnly: true,
    blocks: [
      prose([
        'Points of average gap to gold: lower is closer.',
        ...(facets.some(({ floor }) => floor !== undefined) ? floorKey : []),
        notes.join(''),
      ]),
      ...overs.flatMap((over) => {
        const others = overview.dimensions.filter((dimension) => dimension !== over && dimension !== by)
        return blocksOver(facets, over, others)
      }),
    ],
  }
}

/** A chart for each facet, with the keys of the lines. */
function blocksOver(
  facets: readonly Facet[],
  over: Dimension,
  others: readonly Dimension[],
): readonly Block[] {
  const entries = facets.flatMap((facet) => facet.entries)
  const { lines, of } = linesOver(entries, over, others)
  const cut = facets.some((facet) => facet.entries.length > limits.points)
    ? ` Of each chart's rows, the first ${limits.points} are drawn.`
    : ''
  const words =
    lines.length === 0
      ? `Rows as points: for lines, ${over.name} has too many values, or too few rows differ in it alone.${cut}`
      : of > lines.length
        ? `The ${lines.length} of ${of} lines with the smallest average gaps are drawn: the others are in the table.`
        : undefined
  const keys = lines.map(({ label }, i): Text => [{ swatch: lineColour(i) }, label])
  return [
    heading(`Over ${over.name}`),
    ...(keys.length > 1 ? [{ kind: 'list' as const, style: 'keys' as const, items: keys }] : []),
    ...(words === undefined ? [] : [note(words)]),
    {
      kind: 'charts',
      size: 'pairs',
      charts: facets.flatMap(({ title, entries, floor }): readonly Chart[] => {
        const points = pointsOf(entries, lines, over, others)
        if (points.length === 0) return []
        const lowest = points.reduce((a, b) => (b.gap < a.gap ? b : a))
        const description = `${title === undefined ? 'Average' : `${title}: average`} gap over ${over.name}; the lowest is ${lowest.gap.toFixed(2)} points at ${lowest.x}.`
        return [{ title, description, spec: specOf(points, over, floor) }]
      }),
    },
  ]
}

/** The colours of lines are those of the page without its grey and its gold. */
function lineColour(i: number): string {
  return `series-${2 + (i % 8)}`
}

interface Line {
  readonly key: string
  readonly label: string
}

/**
 * Combinations of the other columns that have at least two values of the one column, closest first.
 * Returns no lines if most rows are in no such combination, or if the column has too many values,
 * as in a random search.
 */
function linesOver(
  entries: readonly Entry[],
  over: Dimension,
  others: readonly Dimension[],
): { readonly lines: readonly Line[]; readonly of: number } {
  const distance = distanceOf(entries)
  const all = [...groupedBy(entries, (entry) => keyOf(entry, others))].flatMap(([key, own]) => {
    const [first] = own
    if (!first || new Set(own.map(({ values }) => values[over.index])).size < 2) return []
    return [
      {
        key,
        rows: own.length,
        label: labelOf(first, others),
        closest: Math.min(...own.flatMap((entry) => distance(entry) ?? [])),
      },
    ]
  })
  const rows = all.reduce((sum, line) => sum + line.rows, 0)
  if (over.values.length > limits.cells || 2 * rows < entries.length) return { lines: [], of: 0 }
  return { lines: all.sort((a, b) => a.closest - b.closest).slice(0, limits.lines), of: all.length }
}

function keyOf({ values }: Entry, others: readonly Dimension[]): string {
  return JSON.stringify(others.map(({ index }) => values[index] ?? null))
}

/** A single column's values need no name. */
function labelOf({ values }: Entry, others: readonly Dimension[]): string {
  const differing = others.filter((dimension) => dimension.values.length > 1)
  return differing
    .map((dimension) => {
      const value = values[dimension.index] ?? null
      return differing.length === 1 ? valueText(value) : nameAndValue(dimension, value)
    })
    .join(', ')
}

interface Point {
  readonly x: number
  readonly gap: number
  readonly low: number
  readonly high: number
  /** -1 of points in no line. */
  readonly line: number
}

/** The points of the lines, or of all entries if there are no lines. */
function pointsOf(
  entries: readonly Entry[],
  lines: readonly Line[],
  over: Dimension,
  others: readonly Dimension[],
): readonly Point[] {
  const points = entries.flatMap((entry): Point[] => {
    const { values, gap = 0, ends = [gap, gap] } = entry
    const x = values[over.index]
    const own = keyOf(entry, others)
    const line = lines.findIndex(({ key }) => key === own)
    if (typeof x !== 'number' || (line < 0 && lines.length > 0)) return []
    return [{ x, gap, low: Math.max(0, ends[0]), high: ends[1], line }]
  })
  return points.slice(0, limits.points)
}

function specOf(points: readonly Point[], over: Dimension, floor: number | undefined): TopLevelSpec {
  const [width, height] = [420, 210]
  const xs = over.values.filter((value) => typeof value === 'number')
  const [least = 0, most = 1] = [xs[0], xs.at(-1)]
  const logarithmic = least > 0 && most / least >= 8
  // Without lines, bars would hide the points.
  const drawn = points.filter(({ line }) => line >= 0)
  const { scale, axis } = gapScale([...points.map(({ high }) => high), floor ?? 0], height)
  const x = {
    field: 'x',
    type: 'quantitative' as const,
    title: logarithmic ? `${over.name} (log)` : over.name,
    scale: {
      ...(logarithmic ? { type: 'log' as const } : { type: 'linear' as const, zero: false }),
      domain: [least, most],
      nice: false,
      padding: 8,
    },
    axis:
      xs.length <= 8
        ? { values: xs, format: '.4~g', labelOverlap: true }
        : { tickCount: 5, format: '.4~g', labelOverlap: true },
  }
  const y = { type: 'quantitative' as const, title: 'points', scale, axis }
  const color = {
    field: 'line',
    type: 'nominal' as const,
    scale: {
      domain: [-1, ...Array.from({ length: limits.lines }, (_, i) => i)],
      range: ['var(--muted)', ...Array.from({ length: limits.lines }, (_, i) => `var(--${lineColour(i)})`)],
    },
    legend: null,
  }
  return {
    width,
    height,
    layer: [
      ...floorRule(floor, y),
      {
        data: { values: drawn.filter(({ low, high }) => high > low).map((point) => ({ ...point })) },
        mark: { type: 'rule', strokeWidth: 1.1, strokeOpacity: 0.55 },
        encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
      },
      {
        data: { values: drawn.map((point) => ({ ...point })) },
        mark: { type: 'line', strokeWidth: 1.8 },
        encoding: { x, y: { ...y, field: 'gap' }, color },
      },
      {
        data: { values: points.map((point) => ({ ...point })) },
        mark: { type: 'point', filled: true, size: 30, opacity: drawn.length > 0 ? 1 : 0.4 },
        encoding: { x, y: { ...y, field: 'gap' }, color },
      },
    ],
  }
}
