import type { TopLevelSpec } from 'vega-lite'
import { percent } from '../format.ts'
import { html, type Content } from '../markup.ts'
import { inOrder, type Render } from '../render-charts.ts'
import { facetOf, facetsOf } from './facets.ts'
import { limits } from './limits.ts'
import { groupedBy, hasFloors, type Dimension, type Entry, type Overview } from './overview.ts'
import { valueText } from './words.ts'

/** Pairs of columns: the closest to gold that any row comes with both values. */
export async function heatSection(overview: Overview, render: Render): Promise<Content> {
  const { by, facets } = facetsOf(overview)
  const several = overview.dimensions.filter(({ values }) => values.length > 1)
  const drawable = several.filter(({ values }) => values.length <= limits.cells)
  // A data set and one other column are a pair too.
  const apart = drawable.filter((one) => one !== by)
  const faceted = apart.length >= 2
  const all = pairsOf(faceted ? apart : drawable)
  const panels = faceted ? facets : [facetOf(overview.entries.filter(({ gap }) => gap !== undefined))]
  const pairs = all.slice(0, Math.min(limits.pairs, Math.max(1, Math.floor(limits.maps / panels.length))))
  if (pairs.length === 0 || panels.every(({ entries }) => entries.length === 0)) return undefined
  // Gaps to different golds are alike in what is above their floors alone.
  const plain = panels.every(({ floor }) => floor !== undefined) || !hasFloors(overview.entries)
  const what = plain ? 'average gap to gold' : 'average gap above the floor'
  const measure = plain ? ({ gap }: Entry) => gap : ({ above }: Entry) => above
  const notes = [
    pairs.length < all.length && ` The first ${pairs.length} of ${all.length} pairs are drawn.`,
    drawable.length < several.length &&
      ` Columns of more than ${limits.cells} values are left out: ${several
        .filter((one) => !drawable.includes(one))
        .map(({ name }) => name)
        .join(', ')}.`,
  ]
  return html`<section>
    <h2>Pairs of settings</h2>
    <p>
      Points of ${what}: the lowest of all rows with both values, over everything else. The stronger the
      colour, the closer; an empty place has no figure.${notes}
    </p>
    ${await inOrder(pairs, async ([across, up], i) => {
      return html`<h3>${across.name} and ${up.name}</h3>
        <div class="panels">
          ${await inOrder(panels, async ({ title, entries }, j) => {
            const cells = cellsOf(entries, across, up, measure)
            const lowest = cells.reduce<Cell | undefined>((a, b) => (a && a.gap <= b.gap ? a : b), undefined)
            if (!lowest) return undefined
            return html`<figure>
              ${title !== undefined && html`<figcaption>${title}</figcaption>`}
              ${await render(`heat${i}-${j}`, `${title === undefined ? '' : `${title}: `}${what} over ${across.name} and ${up.name}; the lowest is ${percent(lowest.gap)} points at ${lowest.across} and ${lowest.up}.`, chart(cells, across, up))}
            </figure>`
          })}
        </div>`
    })}
  </section>`
}

function pairsOf(dimensions: readonly Dimension[]): readonly (readonly [Dimension, Dimension])[] {
  return dimensions.flatMap((one, i) => dimensions.slice(i + 1).map((other) => [one, other] as const))
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

function chart(cells: readonly Cell[], across: Dimension, up: Dimension): TopLevelSpec {
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
  const x = {
    field: 'across',
    type: 'nominal' as const,
    title: across.name,
    scale: { domain: columns },
    axis: {
      labelAngle: columns.some((text) => text.length * 6.5 > 250 / columns.length) ? -40 : 0,
      labelLimit: 170,
      ticks: false,
      domain: false,
    },
  }
  const y = {
    field: 'up',
    type: 'nominal' as const,
    title: up.name,
    scale: { domain: rows },
    axis: { labelLimit: 170, ticks: false },
  }
  return {
    width: Math.min(250, 64 * columns.length),
    height: 26 * rows.length,
    data: { values },
    layer: [
      {
        mark: { type: 'rect', fill: 'var(--accent)', stroke: 'var(--page)', strokeWidth: 1.5 },
        encoding: { x, y, opacity: { field: 'shade', type: 'quantitative', scale: null, legend: null } },
      },
      {
        mark: { type: 'text', fontSize: columns.length > 6 ? 9 : 11 },
        encoding: {
          x,
          y,
          text: { field: 'text', type: 'nominal' },
          color: { condition: { test: 'datum.shade > 0.55', value: 'var(--page)' }, value: 'var(--ink)' },
        },
      },
    ],
  }
}
