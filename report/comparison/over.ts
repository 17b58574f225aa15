import type { TopLevelSpec } from 'vega-lite'
import { html, type Content, type Markup } from '../markup.ts'
import { facetsOf, type Facet } from './facets.ts'
import { floorRule, gapScale, lineColour } from './gap-scale.ts'
import { limits } from './limits.ts'
import { distanceOf, groupedBy, type Dimension, type Entry, type Overview } from './overview.ts'
import { inOrder, type Render } from '../render-charts.ts'
import { nameAndValue, valueText } from './words.ts'

/** The gap over each column of numbers: a line for each combination of the others. */
export async function overSection(overview: Overview, render: Render): Promise<Content> {
  const { by, facets, left } = facetsOf(overview)
  const numeric = overview.dimensions.filter((one) => one.numeric && one !== by)
  const overs = [...numeric]
    .sort((a, b) => Number(b.name === 'rank') - Number(a.name === 'rank'))
    .slice(0, limits.overs)
  if (overs.length === 0 || facets.length === 0) return undefined
  const intervals = overview.entries.some(({ ends }) => ends)
  const notes = [
    intervals && ' Bars are 95% intervals.',
    ' Upwards the scale is the logarithm of 1 + gap.',
    left !== undefined && ` ${left}`,
    numeric.length > overs.length &&
      ` Drawn over the first ${overs.length} of ${numeric.length} columns of numbers.`,
  ]
  return html`<section>
    <h2>Gap over settings</h2>
    <p>
      Points of average gap to gold: lower is closer.
      ${facets.some(({ floor }) => floor !== undefined) && floorKey}${notes}
    </p>
    ${await inOrder(overs, (over, i) => one({ overview, over, by, facets, name: `over${i}`, render }))}
  </section>`
}

const floorKey = html`The <span class="swatch dashed"></span>dashed line is the floor, two gold models of
  different seeds.`

interface Asked {
  readonly overview: Overview
  readonly over: Dimension
  readonly by: Dimension | undefined
  readonly facets: readonly Facet[]
  readonly name: string
  readonly render: Render
}

async function one({ overview, over, by, facets, name, render }: Asked): Promise<Markup> {
  const others = overview.dimensions.filter((dimension) => dimension !== over && dimension !== by)
  const entries = facets.flatMap((facet) => facet.entries)
  const { lines, of } = linesOver(entries, over, others)
  return html`<h3>Over ${over.name}</h3>
    ${
      lines.length > 1 &&
      html`<ul class="keys">
        ${lines.map(({ label }, i) => html`<li><span class="swatch" style="background: ${lineColour(i)}"></span>${label}</li> `)}
      </ul>`
    }
    ${
      lines.length === 0
        ? html`<p class="note">
            Rows as points: for lines, ${over.name} has too many values, or too few rows differ in it alone.
            ${facets.some((facet) => facet.entries.length > limits.points) && `Of each chart's rows, the first ${limits.points} are drawn.`}
          </p>`
        : of > lines.length &&
          html`<p class="note">
            The ${lines.length} of ${of} lines with the smallest average gaps are drawn: the others are in the
            table.
          </p>`
    }
    <div class="panels pairs">
      ${await inOrder(facets, async ({ title, entries, floor }, i) => {
        const points = pointsOf(entries, lines, over, others)
        if (points.length === 0) return undefined
        const lowest = points.reduce((a, b) => (b.gap < a.gap ? b : a))
        const words = `${title === undefined ? 'Average' : `${title}: average`} gap over ${over.name}; the lowest is ${lowest.gap.toFixed(2)} points at ${lowest.x}.`
        return html`<figure>
          ${title !== undefined && html`<figcaption>${title}</figcaption>`}
          ${await render(`${name}-${i}`, words, chart(points, over, floor))}
        </figure>`
      })}
    </div>`
}

interface Line {
  readonly key: string
  readonly label: string
}

/**
 * Combinations of the other columns that have two values of the one, those that come closest first. None where most rows
 * are in no such combination, or where the one has too many values: both were drawn at random.
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

/** Of these lines; where there is none, of all entries. */
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

function chart(points: readonly Point[], over: Dimension, floor: number | undefined): TopLevelSpec {
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
      range: ['var(--muted)', ...Array.from({ length: limits.lines }, (_, i) => lineColour(i))],
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
