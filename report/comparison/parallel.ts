import type { TopLevelSpec } from 'vega-lite'
import { percent, significant } from '../format.ts'
import { prose, type Section } from '../blocks.ts'
import { limits } from './limits.ts'
import { ranked, type Dimension, type Entry, type Overview } from './overview.ts'
import { valueText } from './words.ts'

/** Parallel coordinates: each row is a line over its settings, gap and cost. */
export function parallelSection(overview: Overview): Section | undefined {
  const { entries, dimensions, groups } = overview
  const several = dimensions.filter(({ values }) => values.length > 1)
  const known = ranked(entries)
  if (several.length < 2 || known.length < 3) return undefined
  const shown = several.slice(0, limits.axes - 2)
  const drawn = known.slice(0, limits.parallel)
  const best = new Set(groups.flatMap((group) => group.ranked.slice(0, 1)))
  const closest = new Set(known.slice(0, Math.ceil(known.length / 10)))
  const axes = [...shown.map(settingAxis), gapAxis(drawn), ...costAxis(drawn)]
  const lines = drawn.map((entry) => ({
    kind: best.has(entry) ? 'best' : closest.has(entry) ? 'closest' : 'other',
    places: axes.map(({ place }) => place(entry)),
  }))
  const words = [
    `A line is a row: its settings, its gap and its cost. Bold are the smallest average gaps to ${groups.length > 1 ? 'each ' : ''}gold, coloured the smallest tenth of all. A line ends where it has no value.`,
    drawn.length < known.length
      ? `The ${drawn.length} of the smallest average gaps of ${known.length} are drawn.`
      : [],
    shown.length < several.length
      ? `The first ${shown.length} of ${several.length} columns have an axis.`
      : [],
  ]
  const description = `Parallel coordinates of ${drawn.length} rows over ${axes.map(({ name }) => name).join(', ')}.`
  return {
    title: 'All settings at once',
    pageOnly: true,
    blocks: [
      prose(words.flat().join(' ')),
      { kind: 'charts', size: 'full', charts: [{ description, spec: specOf(axes, lines) }] },
    ],
  }
}

interface Axis {
  readonly name: string
  /** The height from 0 at the bottom to 1; undefined if an entry has no value. */
  readonly place: (entry: Entry) => number | undefined
  readonly ticks: readonly { readonly at: number; readonly text: string }[]
}

function settingAxis({ name, index, values, numeric }: Dimension): Axis {
  const present = values.filter((value) => value !== null)
  const numbers = present.filter((value) => typeof value === 'number')
  const [low = 0, high = 1] = [numbers[0], numbers.at(-1)]
  const logarithmic = low > 0 && high / low >= 8
  const scaled = logarithmic ? Math.log : (value: number) => value
  const at = (value: (typeof values)[number] | undefined) => {
    if (numeric)
      return typeof value === 'number'
        ? (scaled(value) - scaled(low)) / (scaled(high) - scaled(low))
        : undefined
    const i = present.findIndex((one) => one === value)
    return i < 0 ? undefined : present.length > 1 ? i / (present.length - 1) : 0.5
  }
  const all = present.map((value) => ({ at: at(value) ?? 0, text: valueText(value) }))
  return { name, place: ({ values }) => at(values[index]), ticks: apart(all) }
}

function gapAxis(entries: readonly Entry[]): Axis {
  const gaps = entries.flatMap(({ gap }) => gap ?? [])
  return range('Avg. gap', gaps, Math.log1p, percent, ({ gap }) => gap)
}

function costAxis(entries: readonly Entry[]): readonly Axis[] {
  const costs = entries.flatMap(({ cost = 0 }) => (cost > 0 ? [cost] : []))
  if (costs.length === 0) return []
  return [range('RTE', costs, Math.log, significant, ({ cost = 0 }) => (cost > 0 ? cost : undefined))]
}

function range(
  name: string,
  values: readonly number[],
  scaled: (value: number) => number,
  write: (value: number) => string,
  of: (entry: Entry) => number | undefined,
): Axis {
  const sorted = [...values].sort((a, b) => a - b)
  const [low = 0, high = 0] = [sorted[0], sorted.at(-1)]
  const at = (value: number) =>
    high > low ? (scaled(value) - scaled(low)) / (scaled(high) - scaled(low)) : 0.5
  const marks = [low, sorted[Math.floor(sorted.length / 2)] ?? low, high]
  return {
    name,
    place: (entry) => {
      const value = of(entry)
      return value === undefined ? undefined : at(value)
    },
    ticks: apart(marks.map((value) => ({ at: at(value), text: write(value) }))),
  }
}

/** Ticks whose words do not touch; the ends go first. */
function apart<T extends { readonly at: number }>(ticks: readonly T[]): readonly T[] {
  const [first, ...rest] = [...ticks].sort((a, b) => a.at - b.at)
  const last = rest.pop()
  const kept = [first, last].flatMap((tick) => tick ?? [])
  for (const tick of rest) if (kept.every(({ at }) => Math.abs(at - tick.at) >= 0.065)) kept.push(tick)
  return kept.length === 2 && first && last && last.at - first.at < 0.065 ? [first] : kept
}

function specOf(
  axes: readonly Axis[],
  lines: readonly { readonly kind: string; readonly places: readonly (number | undefined)[] }[],
): TopLevelSpec {
  const x = {
    field: 'axis',
    type: 'quantitative' as const,
    scale: { domain: [0, axes.length - 1], nice: false },
    axis: null,
  }
  const y = { field: 'at', type: 'quantitative' as const, scale: { domain: [0, 1], nice: false }, axis: null }
  const text = { field: 'text', type: 'nominal' as const }
  const ticks = axes.flatMap((axis, i) => axis.ticks.map((tick) => ({ ...tick, axis: i })))
  const word = { type: 'text' as const, align: 'right' as const, dx: -5, fontSize: 10.5, limit: 170 }
  const linesOf = (kind: string, width: number, opacity: number, colour: string) => ({
    data: {
      values: lines.flatMap((line, row) =>
        line.kind === kind
          ? line.places.flatMap((at, axis) => (at === undefined ? [] : [{ row, axis, at }]))
          : [],
      ),
    },
    mark: { type: 'line' as const, strokeWidth: width, strokeOpacity: opacity, stroke: colour },
    encoding: { x, y, detail: { field: 'row', type: 'nominal' as const } },
  })
  return {
    width: Math.min(960, 200 * (axes.length - 1)),
    height: 260,
    padding: { left: 100, right: 10, top: 6, bottom: 6 },
    layer: [
      linesOf('other', 0.9, lines.length > 60 ? 0.28 : 0.5, 'var(--muted)'),
      linesOf('closest', 1.3, 0.85, 'var(--series-2)'),
      linesOf('best', 2.6, 1, 'var(--accent)'),
      {
        data: { values: axes.map((_, axis) => ({ axis, at: 0, to: 1 })) },
        mark: { type: 'rule', stroke: 'var(--rule)', strokeWidth: 1.5 },
        encoding: { x, y, y2: { field: 'to' } },
      },
      {
        data: { values: axes.map(({ name }, axis) => ({ axis, at: 1, text: name })) },
        mark: { type: 'text', dy: -22, fontSize: 11.5, fontWeight: 600, fill: 'var(--ink)', limit: 140 },
        encoding: { x, y, text },
      },
      {
        data: { values: ticks },
        layer: [
          // The page's colour around the words keeps them readable over lines.
          { mark: { ...word, stroke: 'var(--page)', strokeWidth: 4 }, encoding: { x, y, text } },
          { mark: { ...word, fill: 'var(--muted)' }, encoding: { x, y, text } },
        ],
      },
    ],
  }
}
