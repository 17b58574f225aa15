import type { TopLevelSpec } from 'vega-lite'
import { heading, prose, type Block, type Chart, type Section } from '../blocks.ts'
import { percent } from '../format.ts'
import { facetOf, facetsOf, type Facet } from './facets.ts'
import { limits } from './limits.ts'
import { groupedBy, hasFloors, type Dimension, type Entry, type Overview } from './overview.ts'
import { valueText } from './words.ts'

/** A heat map for each pair of columns: the smallest gap of the rows with both values. */
export function heatSection(overview: Overview): Section | undefined {
  const { by, facets } = facetsOf(overview)
  const several = overview.dimensions.filter(({ values }) => values.length > 1)
  const drawable = several.filter(({ values }) => values.length <= limits.cells)
  // A data set and one other column are a pair too.
  const apart = drawable.filter((one) => one !== by)
  const isFaceted = apart.length >= 2
  const all = pairsOf(isFaceted ? apart : drawable)
  const panels = isFaceted ? facets : [facetOf(overview.entries.filter(({ gap }) => gap !== undefined))]
  const pairs = all.slice(0, Math.min(limits.pairs, Math.max(1, Math.floor(limits.maps / panels.length))))
  if (pairs.length === 0 || panels.every(({ entries }) => entries.length === 0)) return undefined
  // Gaps to different golds can be compared only by how far they are above their floors.
  const isPlain = panels.every(({ floor }) => floor !== undefined) || !hasFloors(overview.entries)
  const measure: Measure = isPlain
    ? { name: 'average gap to gold', of: ({ gap }) => gap }
    : { name: 'average gap above the floor', of: ({ above }) => above }
  const leftOut = several.filter((one) => !drawable.includes(one)).map(({ name }) => name)
  return {
    title: 'Pairs of settings',
    pageOnly: true,
    blocks: [
      prose(
        [
          `Points of ${measure.name}: the lowest of all rows with both values, over everything else. The stronger the colour, the closer; an empty place has no figure.`,
          pairs.length < all.length ? `The first ${pairs.length} of ${all.length} pairs are drawn.` : [],
          leftOut.length > 0
            ? `Columns of more than ${limits.cells} values are left out: ${leftOut.join(', ')}.`
            : [],
        ]
          .flat()
          .join(' '),
      ),
      ...pairs.flatMap(([across, up]): readonly Block[] => [
        heading(`${across.name} and ${up.name}`),
        {
          kind: 'charts',
          size: 'panels',
          charts: panels.flatMap((facet) => chartOf(facet, across, up, measure) ?? []),
        },
      ]),
    ],
  }
}

interface Measure {
  readonly name: string
  readonly of: (entry: Entry) => number | undefined
}

function pairsOf(dimensions: readonly Dimension[]): readonly (readonly [Dimension, Dimension])[] {
  return dimensions.flatMap((one, i) => dimensions.slice(i + 1).map((other) => [one, other] as const))
}

function chartOf(
  { title, entries }: Facet,
  across: Dimension,
  up: Dimension,
  { name, of }: Measure,
): Chart | undefined {
  const cells = cellsOf(entries, across, up, of)
  const lowest = cells.reduce<Cell | undefined>((a, b) => (a && a.gap <= b.gap ? a : b), undefined)
  if (!lowest) return undefined
  return {
    title,
    description: `${title === undefined ? '' : `${title}: `}${name} over ${across.name} and ${up.name}; the lowest is ${percent(lowest.gap)} points at ${lowest.across} and ${lowest.up}.`,
    spec: specOf(cells, across, up),
  }
}

interface Cell {
  readonly across: string
  readonly up: string
  readonly gap: number
}

function cellsOf(
  entries: readonly Entry[],
  across: Dimension,
  up: Dimension,
  measure: (entry: Entry) => number | undefined,
): readonly Cell[] {
  const textOf = ({ values }: Entry, { index }: Dimension) => valueText(values[index] ?? null)
  const groups = groupedBy(entries, (entry) => JSON.stringify([textOf(entry, across), textOf(entry, up)]))
  return [...groups.values()].flatMap((own) => {
    const gaps = own.flatMap((entry) => measure(entry) ?? [])
    return own
      .slice(0, gaps.length > 0 ? 1 : 0)
      .map((entry) => ({ across: textOf(entry, across), up: textOf(entry, up), gap: Math.min(...gaps) }))
  })
}

function specOf(cells: readonly Cell[], across: Dimension, up: Dimension): TopLevelSpec {
  const gaps = cells.map(({ gap }) => gap)
  const [low, high] = [Math.min(...gaps), Math.max(...gaps)]
  const shade = (gap: number) => (high > low ? 1 - Math.log1p(gap - low) / Math.log1p(high - low) : 1)
  const values = cells.map((cell) => ({
    ...cell,
    shade: 0.06 + 0.94 * shade(cell.gap),
    text: percent(cell.gap),
  }))
  const columns = across.values.map(valueText)
  const rows = up.values.map(valueText)
  const labelAngle = columns.some((text) => text.length * 6.5 > 250 / columns.length) ? -40 : 0
  const scale = (field: 'across' | 'up', title: string, domain: readonly string[]) => ({
    field,
    type: 'nominal' as const,
    title,
    scale: { domain: [...domain] },
    axis: { labelLimit: 170, ticks: false, ...(field === 'across' && { labelAngle, domain: false }) },
  })
  const x = scale('across', across.name, columns)
  const y = scale('up', up.name, rows)
  const text = { field: 'text', type: 'nominal' as const }
  const color = { condition: { test: 'datum.shade > 0.55', value: 'var(--page)' }, value: 'var(--ink)' }
  return {
    width: Math.min(250, 64 * columns.length),
    height: 26 * rows.length,
    data: { values },
    layer: [
      {
        mark: { type: 'rect', fill: 'var(--accent)', stroke: 'var(--page)', strokeWidth: 1.5 },
        encoding: { x, y, opacity: { field: 'shade', type: 'quantitative', scale: null, legend: null } },
      },
      { mark: { type: 'text', fontSize: columns.length > 6 ? 9 : 11 }, encoding: { x, y, text, color } },
    ],
  }
}
