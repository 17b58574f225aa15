import type { TopLevelSpec } from 'vega-lite'
import { prose, type Chart, type Section } from '../blocks.ts'
import { costAxis, floorRule, gapScale } from '../charts/scales.ts'
import { percent, significant } from '../format.ts'
import { facetsOfGold, type Facet } from './facets.ts'
import { paretoFront } from './front.ts'
import { limits } from './limits.ts'
import type { Entry, Overview } from './overview.ts'
import { settings } from './summary.ts'
import { entryText, groupText } from './words.ts'

/** Cost against gap, with the Pareto front. */
export function costSection(overview: Overview): Section | undefined {
  const { facets, left } = facetsOfGold(overview, groupText)
  const drawn = facets.flatMap((facet) => {
    const points = facet.entries.flatMap(pointOf)
    return points.length > 0 ? [chartOf(facet, points, overview)] : []
  })
  if (drawn.length === 0) return undefined
  return {
    title: 'Cost against gap',
    pageOnly: true,
    blocks: [
      prose(
        `Wall time of the unlearning over that of retraining, and points of average gap to gold. The line is the Pareto front: no row is both closer and cheaper than its members, which are numbered and named. ${left ?? ''}`,
      ),
      { kind: 'charts', size: 'pairs', charts: drawn },
    ],
  }
}

interface Point {
  readonly entry: Entry
  readonly cost: number
  readonly gap: number
}

/** A cost of 0 has no place on a logarithmic scale. */
function pointOf(entry: Entry): readonly Point[] {
  const { cost, gap } = entry
  return cost === undefined || cost <= 0 || gap === undefined ? [] : [{ entry, cost, gap }]
}

function chartOf({ title, floor }: Facet, points: readonly Point[], overview: Overview): Chart {
  const front = paretoFront(points)
  const members = new Set(front)
  const others = points.filter((point) => !members.has(point))
  const named = front
    .slice(0, limits.named)
    .map(
      ({ entry, cost, gap }) =>
        `${entryText(entry, settings(overview))}: ${percent(gap)} points at ${significant(cost)} × retraining`,
    )
  const notes = [
    others.length > limits.points
      ? `The ${limits.points} closest of ${others.length} other rows are drawn.`
      : [],
    front.length > named.length ? `The first ${named.length} of ${front.length} members are named.` : [],
  ].flat()
  return {
    title,
    description: `${title === undefined ? 'Average' : `${title}: average`} gap to gold over cost. On the Pareto front: ${named.join('; ')}.`,
    spec: specOf(front, others.slice(0, limits.points), floor),
    numbered: named,
    note: notes.length > 0 ? notes.join(' ') : undefined,
  }
}

function specOf(front: readonly Point[], others: readonly Point[], floor: number | undefined): TopLevelSpec {
  const [width, height] = [420, 240]
  const all = [...front, ...others]
  const costs = all.map(({ cost }) => cost)
  const x = { field: 'cost', ...costAxis(costs, 4, [0.85, 1.2]) }
  const gaps = gapScale([...all.map(({ gap }) => gap), floor ?? 0], height)
  const y = { field: 'gap', type: 'quantitative' as const, title: 'points', ...gaps }
  const text = { field: 'name', type: 'nominal' as const }
  const values = (points: readonly Point[]) =>
    points.map(({ cost, gap }, i) => ({ cost, gap, name: i < limits.named ? String(i + 1) : '' }))
  const point = { type: 'point', filled: true } as const
  const number = { type: 'text', align: 'left', dx: 6, dy: -8, fontSize: 11.5 } as const
  const line = { interpolate: 'step-after', strokeWidth: 1.4, color: 'var(--accent)' } as const
  return {
    width,
    height,
    layer: [
      ...floorRule(floor, y),
      {
        data: { values: values(others) },
        mark: { ...point, size: 26, color: 'var(--muted)', opacity: 0.55 },
        encoding: { x, y },
      },
      {
        data: { values: values(front) },
        layer: [
          { mark: { type: 'line', ...line }, encoding: { x, y } },
          { mark: { ...point, size: 52, color: 'var(--accent)', opacity: 1 }, encoding: { x, y } },
          // The page's colour around a number keeps it readable over points.
          { mark: { ...number, stroke: 'var(--page)', strokeWidth: 3 }, encoding: { x, y, text } },
          { mark: { ...number, fill: 'var(--ink)' }, encoding: { x, y, text } },
        ],
      },
    ],
  }
}
