import type { TopLevelSpec } from 'vega-lite'
import type { Interval } from '../../common/interval.ts'
import { costAxis, floorRule, gapScale } from './scales.ts'

export interface Cost {
  readonly label: string
  /** Wall seconds over retraining's, above 0. */
  readonly rte: number
  /** The average gap in points. */
  readonly gap: number
  /** The ends of the gap's 95% interval, if there are several seeds. */
  readonly ends?: Interval
  readonly kind: 'best' | 'method' | 'gold'
}

const WIDTH = 680
const HEIGHT = 280

/** Average gap over cost: lower left is better. The floor is a line. */
export function costAgainstGap(costs: readonly Cost[], floor: number | undefined): TopLevelSpec {
  const x = { field: 'rte', ...costAxis([1, ...costs.map(({ rte }) => rte)], 2, [0.8, 1.3]) }
  const [left, right] = x.scale.domain
  const { scale, axis } = gapScale([1, floor ?? 0, ...costs.map(({ gap, ends }) => ends?.[1] ?? gap)], HEIGHT)
  const [, highest = 1] = scale.domain
  const y = { field: 'gap', type: 'quantitative' as const, title: 'points of average gap (log)', scale, axis }
  const placeY = (gap: number) => HEIGHT * (1 - Math.log1p(gap) / Math.log1p(highest))
  const points = costs.map((cost) => ({
    ...cost,
    x: (WIDTH * Math.log(cost.rte / left)) / Math.log(right / left),
    y: placeY(cost.gap),
  }))
  const reserved =
    floor === undefined ? [] : [{ left: 0, right: 135, top: placeY(floor) - 14, bottom: placeY(floor) }]
  const colours = {
    domain: ['best', 'method', 'gold'],
    range: ['var(--accent)', 'var(--muted)', 'var(--gold)'],
  }
  const nameOfFloor = { align: 'left', dx: 6, dy: -7, fontSize: 11, fill: 'var(--gold)' } as const
  return {
    width: WIDTH,
    height: HEIGHT,
    layer: [
      ...floorRule(floor, y),
      {
        data: { values: floor === undefined ? [] : [{ gap: floor, rte: left }] },
        mark: { type: 'text', ...nameOfFloor },
        encoding: { x, y, text: { value: 'floor: two gold models' } },
      },
      ...intervalBars(costs, x, y),
      {
        data: { values: placedLabels(points, reserved) },
        layer: [
          {
            mark: { type: 'point', filled: true, size: 75, opacity: 1 },
            encoding: { x, y, color: { field: 'kind', type: 'nominal', scale: colours, legend: null } },
          },
          {
            mark: {
              type: 'text',
              align: { expr: 'datum.align' },
              baseline: 'middle',
              dx: { expr: 'datum.dx' },
              dy: { expr: 'datum.dy' },
              fontSize: 12,
              fill: 'var(--ink)',
              limit: 300,
            },
            encoding: { x, y, text: { field: 'label', type: 'nominal' } },
          },
        ],
      },
    ],
  }
}

/** Bars from the lower to the upper end of each gap's interval. A gap is never below 0. */
function intervalBars(costs: readonly Cost[], x: object, y: object) {
  const values = costs.flatMap(({ rte, ends }) =>
    ends ? [{ rte, low: Math.max(0, ends[0]), high: ends[1] }] : [],
  )
  if (values.length === 0) return []
  const mark = { type: 'rule' as const, stroke: 'var(--muted)', strokeWidth: 1.2 }
  return [{ data: { values }, mark, encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' } } }]
}

const places = [
  { align: 'left', dx: 9, dy: 0 },
  { align: 'right', dx: -9, dy: 0 },
  { align: 'center', dx: 0, dy: -14 },
  { align: 'center', dx: 0, dy: 15 },
  { align: 'left', dx: 7, dy: -12 },
  { align: 'left', dx: 7, dy: 13 },
  { align: 'right', dx: -7, dy: -12 },
  { align: 'right', dx: -7, dy: 13 },
] as const

/** Places each label beside its point, where it covers the least of points, labels and edges. */
function placedLabels<P extends Cost & { readonly x: number; readonly y: number }>(
  points: readonly P[],
  reserved: readonly Box[],
) {
  const dots = points.map(({ x, y }) => ({ left: x - 5, right: x + 5, top: y - 5, bottom: y + 5 }))
  const taken: Box[] = [...reserved, ...dots]
  const plot = { left: 0, right: WIDTH, top: -8, bottom: HEIGHT }
  return points.map((point) => {
    const width = 6.4 * point.label.length
    const boxes = places.map((place) => {
      const left = point.x + place.dx - { left: 0, center: width / 2, right: width }[place.align]
      const middle = point.y + place.dy
      return { place, box: { left, right: left + width, top: middle - 7, bottom: middle + 7 } }
    })
    const cost = ({ box }: (typeof boxes)[number]) =>
      taken.reduce((sum, other) => sum + overlap(box, other), 0) +
      3 * ((box.right - box.left) * (box.bottom - box.top) - overlap(box, plot))
    const best = boxes.reduce((a, b) => (cost(b) < cost(a) ? b : a))
    taken.push(best.box)
    return { ...point, ...best.place }
  })
}

interface Box {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** The area that two boxes share. */
function overlap(a: Box, b: Box): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left)
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
  return width > 0 && height > 0 ? width * height : 0
}
