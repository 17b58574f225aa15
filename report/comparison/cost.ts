import type { TopLevelSpec } from 'vega-lite'
import { readable } from '../charts.ts'
import { percent, significant } from '../format.ts'
import { html, type Content, type Markup } from '../markup.ts'
import { inOrder, type Render } from '../render-charts.ts'
import { facetsOfGold, type Facet } from './facets.ts'
import { paretoFront } from './front.ts'
import { floorRule, gapScale } from './gap-scale.ts'
import { limits } from './limits.ts'
import type { Entry, Overview } from './overview.ts'
import { settings } from './summary.ts'
import { entryText, groupText } from './words.ts'

/** Cost against gap, and what no other row beats in both. */
export async function costSection(overview: Overview, render: Render): Promise<Content> {
  const { facets, left } = facetsOfGold(overview, groupText)
  const drawn = facets.flatMap((facet) => {
    const points = facet.entries.flatMap(pointOf)
    return points.length > 0 ? [{ ...facet, points }] : []
  })
  if (drawn.length === 0) return undefined
  return html`<section>
    <h2>Cost against gap</h2>
    <p>
      Wall time of the unlearning over that of retraining, and points of average gap to gold. The line is the
      Pareto front: no row is both closer and cheaper than its members, which are numbered and named. ${left}
    </p>
    <div class="panels pairs">
      ${await inOrder(drawn, (facet, i) => figureOf(facet, i, overview, render))}
    </div>
  </section>`
}

interface Point {
  readonly entry: Entry
  readonly cost: number
  readonly gap: number
}

/** What costs nothing has no place on a logarithmic scale. */
function pointOf(entry: Entry): readonly Point[] {
  const { cost, gap } = entry
  return cost === undefined || cost <= 0 || gap === undefined ? [] : [{ entry, cost, gap }]
}

async function figureOf(
  { title, floor, points }: Facet & { readonly points: readonly Point[] },
  i: number,
  overview: Overview,
  render: Render,
): Promise<Markup> {
  const front = paretoFront(points)
  const members = new Set(front)
  const others = points.filter((point) => !members.has(point))
  const named = front.slice(0, limits.named)
  const words = named.map(
    ({ entry, cost, gap }) =>
      `${entryText(entry, settings(overview))}: ${percent(gap)} points at ${significant(cost)} × retraining`,
  )
  const notes = [
    others.length > limits.points &&
      `The ${limits.points} closest of ${others.length} other rows are drawn. `,
    front.length > named.length && `The first ${named.length} of ${front.length} members are named.`,
  ]
  return html`<figure>
    ${title !== undefined && html`<figcaption>${title}</figcaption>`}
    ${await render(`cost${i}`, `${title === undefined ? 'Average' : `${title}: average`} gap to gold over cost. On the Pareto front: ${words.join('; ')}.`, chart(front, others.slice(0, limits.points), floor))}
    <ol class="named">
      ${words.map((text) => html`<li>${text}</li>`)}
    </ol>
    ${notes.some(Boolean) && html`<p class="note">${notes}</p>`}
  </figure>`
}

function chart(front: readonly Point[], others: readonly Point[], floor: number | undefined): TopLevelSpec {
  const [width, height] = [420, 240]
  const all = [...front, ...others]
  const costs = all.map(({ cost }) => cost)
  const domain: [number, number] = [
    10 ** (Math.floor(Math.log10(Math.min(...costs) * 0.85) * 4) / 4),
    10 ** (Math.ceil(Math.log10(Math.max(...costs) * 1.2) * 4) / 4),
  ]
  const { scale, axis } = gapScale([...all.map(({ gap }) => gap), floor ?? 0], height)
  const x = {
    field: 'cost',
    type: 'quantitative' as const,
    title: 'wall time over that of retraining, RTE (log)',
    scale: { type: 'log' as const, domain, nice: false },
    axis: { grid: true, values: readable(domain), format: '.4~g', labelOverlap: true },
  }
  const y = { field: 'gap', type: 'quantitative' as const, title: 'points', scale, axis }
  const plain = (points: readonly Point[]) =>
    points.map(({ cost, gap }, i) => ({ cost, gap, name: i < limits.named ? String(i + 1) : '' }))
  const number = { type: 'text' as const, align: 'left' as const, dx: 6, dy: -8, fontSize: 11.5 }
  return {
    width,
    height,
    layer: [
      ...floorRule(floor, y),
      {
        data: { values: plain(others) },
        mark: { type: 'point', filled: true, size: 26, color: 'var(--muted)', opacity: 0.55 },
        encoding: { x, y },
      },
      {
        data: { values: plain(front) },
        layer: [
          {
            mark: { type: 'line', interpolate: 'step-after', strokeWidth: 1.4, color: 'var(--accent)' },
            encoding: { x, y },
          },
          {
            mark: { type: 'point', filled: true, size: 52, color: 'var(--accent)', opacity: 1 },
            encoding: { x, y },
          },
          // The page's colour around a number keeps it readable over points.
          {
            mark: { ...number, stroke: 'var(--page)', strokeWidth: 3 },
            encoding: { x, y, text: { field: 'name', type: 'nominal' } },
          },
          {
            mark: { ...number, fill: 'var(--ink)' },
            encoding: { x, y, text: { field: 'name', type: 'nominal' } },
          },
        ],
      },
    ],
  }
}
