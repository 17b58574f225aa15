import type { TopLevelSpec } from 'vega-lite'
import type { Interval } from '../common/interval.ts'
import type { CurvePoint, ResidualPoint, StageMetrics } from '../experiment/records/manifest.ts'

/** The report's charts as data and encodings; no figure is computed here. */

export interface Curve {
  readonly label: string
  readonly curve: readonly CurvePoint[]
}

/** Loss over steps of the models trained from scratch, in one plot. */
export function trainingCurves(models: readonly Curve[]): TopLevelSpec {
  const labels = models.map(({ label }) => label)
  const values = models.flatMap(({ label, curve }) => curve.map(({ step, loss }) => ({ label, step, loss })))
  const losses = values.map(({ loss }) => loss)
  const logarithmic = losses.every((loss) => loss > 0)
  return {
    width: 470,
    height: 220,
    data: { values },
    mark: { type: 'line', strokeWidth: 1.6, strokeOpacity: 0.9, clip: true },
    encoding: {
      x: { field: 'step', type: 'quantitative', title: 'step', axis: { tickCount: 6 } },
      y: {
        field: 'loss',
        type: 'quantitative',
        title: logarithmic ? 'training loss (log)' : 'training loss',
        scale: logarithmic ? { type: 'log', domain: bounds(losses), nice: false } : { zero: false },
        axis: logarithmic ? { values: decades(losses) } : { tickCount: 5 },
      },
      color: {
        field: 'label',
        type: 'nominal',
        scale: { domain: labels, range: series(labels.length) },
        legend: { columns: 3 },
      },
    },
  }
}

/** Loss over steps of one method. Methods' losses differ in kind, so each has a plot of its own. */
export function methodCurve(curve: readonly CurvePoint[]): TopLevelSpec {
  return {
    width: 236,
    height: 120,
    data: { values: curve.map(({ step, loss }) => ({ step, loss })) },
    mark: {
      type: 'line',
      strokeWidth: 1.6,
      color: 'var(--accent)',
      point: curve.length < 12 && { size: 22, color: 'var(--accent)' },
    },
    encoding: {
      x: stepAxis,
      y: {
        field: 'loss',
        type: 'quantitative',
        title: 'loss',
        scale: { zero: false },
        axis: { tickCount: 4, minExtent: 32 },
      },
    },
  }
}

/** Residuals of residual feature alignment, on a logarithmic scale that `domain` makes the same for all plots. */
export function residualCurves(
  points: readonly ResidualPoint[],
  domain: readonly [number, number],
): TopLevelSpec {
  const values = points.flatMap(({ step, retained, forget }) => [
    { step, set: 'retained ‖r‖²', value: retained },
    { step, set: 'forget ‖f + r − t‖²', value: forget },
  ])
  return {
    width: 236,
    height: 150,
    // B = 0 makes the first retained residual 0, which no logarithmic scale shows.
    data: { values: values.filter(({ value }) => value > 0) },
    mark: { type: 'line', strokeWidth: 1.8, clip: true },
    encoding: {
      x: stepAxis,
      y: {
        field: 'value',
        type: 'quantitative',
        title: 'mean square (log)',
        scale: { type: 'log', domain: bounds(domain), nice: false },
        axis: { values: decades(domain), minExtent: 32 },
      },
      color: {
        field: 'set',
        type: 'nominal',
        scale: {
          domain: ['retained ‖r‖²', 'forget ‖f + r − t‖²'],
          range: ['var(--retained)', 'var(--forget)'],
        },
        // The words above the plots name the colours.
        legend: null,
      },
    },
  }
}

type Confidence = StageMetrics['evaluate']['confidence']

/** Shares of the samples by confidence in the true class: bars for the model, a line for gold. */
export function confidenceHistograms(model: Confidence, gold: Confidence | undefined): TopLevelSpec {
  const sets = ['retained', 'forget', 'test'] as const
  const values = sets.flatMap((set) => {
    const own = shares(model[set])
    const golden = gold && shares(gold[set])
    const bins = own.map((share, bin) => ({
      set,
      from: bin / own.length,
      to: (bin + 1) / own.length,
      share,
      gold: golden?.[bin] ?? null,
    }))
    // A line of steps goes up to its last point, so it needs one at the end of the last bin.
    return [...bins, { set, from: 1, to: 1, share: 0, gold: golden?.at(-1) ?? null }]
  })
  const x = {
    field: 'from',
    type: 'quantitative' as const,
    title: 'confidence in the true class',
    scale: { domain: [0, 1] },
    axis: { values: [0, 0.25, 0.5, 0.75, 1], format: '~g' },
  }
  const y = {
    type: 'quantitative' as const,
    title: null,
    scale: { domain: [0, 1] },
    axis: { values: [0, 0.5, 1], format: '.0%', minExtent: 32 },
  }
  return {
    data: { values },
    facet: {
      row: {
        field: 'set',
        type: 'nominal',
        sort: [...sets],
        title: null,
        header: { labelAngle: 0, labelAlign: 'left', labelPadding: 6, orient: 'left' },
      },
    },
    spacing: 10,
    spec: {
      width: 200,
      height: 46,
      layer: [
        {
          mark: { type: 'bar', binSpacing: 0.6 },
          encoding: {
            x: { ...x, bin: { binned: true, step: 0.05 } },
            x2: { field: 'to' },
            y: { ...y, field: 'share' },
            color: {
              field: 'set',
              type: 'nominal',
              scale: {
                domain: [...sets],
                range: ['var(--retained)', 'var(--forget)', 'var(--test)'],
              },
              legend: null,
            },
          },
        },
        {
          transform: [{ filter: 'datum.gold !== null' }],
          mark: {
            type: 'line',
            interpolate: 'step-after',
            strokeWidth: 1.2,
            color: 'var(--ink)',
            strokeOpacity: 0.75,
          },
          encoding: { x, y: { ...y, field: 'gold' } },
        },
      ],
    },
  }
}

export interface Cost {
  readonly label: string
  /** Wall seconds over retraining's, above 0. */
  readonly rte: number
  /** Points. */
  readonly gap: number
  /** Of several seeds: the ends of the gap's 95% interval. */
  readonly ends?: Interval
  readonly kind: 'best' | 'method' | 'gold'
}

/** Average gap over cost: lower left is better. The floor is a line. */
export function costAgainstGap(costs: readonly Cost[], floor: number | undefined): TopLevelSpec {
  const width = 470
  const height = 280
  const times = [1, ...costs.map(({ rte }) => rte)]
  const domain: readonly [number, number] = [
    10 ** (Math.floor(Math.log10(Math.min(...times) * 0.8) * 2) / 2),
    10 ** (Math.ceil(Math.log10(Math.max(...times) * 1.3) * 2) / 2),
  ]
  const highest = Math.max(1, floor ?? 0, ...costs.map(({ gap, ends }) => ends?.[1] ?? gap)) * 1.25
  const x = (rte: number) => (width * Math.log(rte / domain[0])) / Math.log(domain[1] / domain[0])
  const y = (gap: number) => height * (1 - Math.log1p(gap) / Math.log1p(highest))
  const points = costs.map((cost) => ({ ...cost, x: x(cost.rte), y: y(cost.gap) }))
  const reserved = floor === undefined ? [] : [{ left: 0, right: 135, top: y(floor) - 14, bottom: y(floor) }]
  const labels = placeLabels(points, { width, height }, reserved)

  const encoding = {
    x: {
      field: 'rte',
      type: 'quantitative' as const,
      title: 'wall time over that of retraining, RTE (log)',
      scale: { type: 'log' as const, domain: [...domain], nice: false },
      axis: { grid: true, values: readable(domain), format: '~g' },
    },
    y: {
      field: 'gap',
      type: 'quantitative' as const,
      title: 'points of average gap (log)',
      scale: { type: 'symlog' as const, constant: 1, domain: [0, highest], nice: false },
      axis: { values: [0, 1, 2, 5, 10, 20, 50, 100].filter((gap) => gap <= highest) },
    },
  }
  return {
    width,
    height,
    layer: [
      ...(floor === undefined ? [] : [floorLine(floor, domain[0])]),
      {
        data: { values: labels.map((label) => ({ ...label })) },
        layer: [
          ...intervalBars(costs, encoding.y),
          {
            mark: { type: 'point', filled: true, size: 75, opacity: 1 },
            encoding: {
              ...encoding,
              color: {
                field: 'kind',
                type: 'nominal',
                scale: {
                  domain: ['best', 'method', 'gold'],
                  range: ['var(--accent)', 'var(--muted)', 'var(--gold)'],
                },
                legend: null,
              },
            },
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
            encoding: { ...encoding, text: { field: 'label', type: 'nominal' } },
          },
        ],
      },
    ],
  }
}

/** From the lower to the upper end of each gap's interval; a gap is never below 0. */
function intervalBars(costs: readonly Cost[], y: object): Layer[] {
  const bars = costs.flatMap(({ rte, ends }) =>
    ends ? [{ rte, low: Math.max(0, ends[0]), high: ends[1] }] : [],
  )
  if (bars.length === 0) return []
  return [
    {
      data: { values: bars },
      mark: { type: 'rule', stroke: 'var(--muted)', strokeWidth: 1.2 },
      encoding: {
        x: { field: 'rte', type: 'quantitative' },
        y: { ...y, field: 'low', type: 'quantitative' },
        y2: { field: 'high' },
      },
    },
  ]
}

/** `left`: where its label begins, as a relative time. */
function floorLine(floor: number, left: number): Layer {
  const y = { field: 'gap', type: 'quantitative' as const }
  return {
    data: { values: [{ gap: floor, rte: left }] },
    layer: [
      {
        mark: { type: 'rule', stroke: 'var(--gold)', strokeWidth: 1.5, strokeDash: [5, 4] },
        encoding: { y },
      },
      {
        mark: { type: 'text', align: 'left', dx: 6, dy: -7, fontSize: 11, fill: 'var(--gold)' },
        encoding: { x: { field: 'rte', type: 'quantitative' }, y, text: { value: 'floor: two gold models' } },
      },
    ],
  }
}

type Layer = Extract<TopLevelSpec, { layer: unknown }>['layer'][number]

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

/** Puts each label beside its point, where it covers no point, no other label and no edge; else where it covers least. */
function placeLabels<P extends Cost & { readonly x: number; readonly y: number }>(
  points: readonly P[],
  plot: { readonly width: number; readonly height: number },
  reserved: readonly Box[],
) {
  const dots = points.map(({ x, y }) => ({ left: x - 5, right: x + 5, top: y - 5, bottom: y + 5 }))
  const taken: Box[] = [...reserved, ...dots]
  const edge = { left: 0, right: plot.width, top: -8, bottom: plot.height }
  return points.map((point) => {
    const width = 6.4 * point.label.length
    const boxes = places.map((place) => {
      const start = { left: 0, center: width / 2, right: width }[place.align]
      const left = point.x + place.dx - start
      const middle = point.y + place.dy
      return { place, box: { left, right: left + width, top: middle - 7, bottom: middle + 7 } }
    })
    const cost = ({ box }: (typeof boxes)[number]) =>
      taken.reduce((sum, other) => sum + overlap(box, other), 0) +
      3 * ((box.right - box.left) * (box.bottom - box.top) - overlap(box, edge))
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

/** Area that two boxes share. */
function overlap(a: Box, b: Box): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left)
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
  return width > 0 && height > 0 ? width * height : 0
}

const stepAxis = {
  field: 'step',
  type: 'quantitative',
  title: 'step',
  scale: { nice: false },
  axis: { tickCount: 4, format: 'd', tickMinStep: 1 },
} as const

/** Powers of ten around values above 0. */
function decades(values: readonly number[]): number[] {
  const first = Math.floor(Math.log10(Math.min(...values)))
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...values))))
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i))
}

/** 1, 2 and 5 times the powers of ten, within bounds. */
export function readable([low, high]: readonly [number, number]): number[] {
  return decades([low, high])
    .flatMap((power) => [power, 2 * power, 5 * power])
    .filter((value) => value >= low && value <= high)
}

function bounds(values: readonly number[]): [number, number] {
  const all = decades(values)
  return [Math.min(...all), Math.max(...all)]
}

function shares(counts: readonly number[]): readonly number[] {
  const total = counts.reduce((sum, count) => sum + count, 0)
  return counts.map((count) => (total > 0 ? count / total : 0))
}

/** Colours of lines in one plot; the page's CSS holds ten. */
function series(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `var(--series-${i % 10})`)
}
