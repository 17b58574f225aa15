import { textLayers } from './classes.ts'
import type { TopLevelSpec } from 'vega-lite'
import type { CkaMatrix, MapSet, MappedSample, Point } from '../../experiment/records/feature-maps.ts'

/** A drawn sample: its place and its colour, which is the name of a variable of the style sheet. */
export interface MapPoint {
  readonly set: MapSet
  readonly colour: string
  readonly x: number
  readonly y: number
}

/** The most points of each set in one chart, so that a page of many charts stays small. */
export const mostPoints = 80

/** The most classes that have colours. Of more classes, the colours are those of the sets. */
export const mostClasses = 10

/** The first points of each set: a random part of them, because samples are in random order. */
export function pointsOf(
  samples: readonly MappedSample[],
  places: readonly Point[],
  classes: number,
): readonly MapPoint[] {
  const counts = new Map<MapSet, number>()
  return samples.flatMap(({ set, label }, i) => {
    const count = (counts.get(set) ?? 0) + 1
    counts.set(set, count)
    const place = places[i]
    if (!place || count > mostPoints) return []
    const colour = classes <= mostClasses ? `series-${label}` : set
    return [{ set, colour, x: place[0], y: place[1] }]
  })
}

/** The square around all points, with a margin. */
export function squareAround(points: readonly MapPoint[]): {
  readonly x: readonly [number, number]
  readonly y: readonly [number, number]
} {
  const [left, right] = rangeOf(points.map(({ x }) => x))
  const [low, high] = rangeOf(points.map(({ y }) => y))
  const half = Math.max(right - left, high - low, 1e-9) * 0.53
  const [x, y] = [(left + right) / 2, (low + high) / 2]
  return { x: [x - half, x + half], y: [y - half, y + half] }
}

function rangeOf(values: readonly number[]): readonly [number, number] {
  return [Math.min(...values), Math.max(...values)]
}

const SIZE = 250

/**
 * A map without axes, whose units mean nothing. Retained samples are dots, test samples are rings,
 * and forget samples are diamonds with an outline, above the others.
 */
export function featureMap(
  points: readonly MapPoint[],
  square: ReturnType<typeof squareAround>,
): TopLevelSpec {
  const place = (field: 'x' | 'y') => ({
    field,
    type: 'quantitative' as const,
    axis: null,
    scale: { domain: [...square[field]], nice: false, zero: false },
  })
  const colours = [...new Set(points.map(({ colour }) => colour))]
  const scale = { domain: colours, range: colours.map((colour) => `var(--${colour})`) }
  const colour = { field: 'colour', type: 'nominal' as const, scale, legend: null }
  const [x, y] = [place('x'), place('y')]
  const of = (set: MapSet) => [{ filter: `datum.set === '${set}'` }]
  return {
    width: SIZE,
    height: SIZE,
    data: { values: [...points] },
    view: { stroke: 'var(--grid)' },
    layer: [
      {
        transform: of('retained'),
        mark: { type: 'point', shape: 'circle', filled: true, size: 14, opacity: 0.75 },
        encoding: { x, y, color: colour },
      },
      {
        transform: of('test'),
        mark: { type: 'point', shape: 'circle', filled: false, size: 18, strokeWidth: 1, opacity: 0.75 },
        encoding: { x, y, color: colour },
      },
      {
        transform: of('forget'),
        mark: {
          ...{ type: 'point', shape: 'diamond', filled: true, size: 46, opacity: 1 },
          ...{ stroke: 'var(--ink)', strokeWidth: 0.9 },
        },
        encoding: { x, y, fill: colour },
      },
    ],
  }
}

/** CKA of each layer of a model (up) with each of gold (across): the stronger, the more alike. */
export function ckaHeat({ layers, goldLayers, values }: CkaMatrix): TopLevelSpec {
  const cells = values.flatMap((row, i) =>
    row.flatMap((cka, j) =>
      cka === null ? [] : [{ layer: layers[i] ?? '', gold: goldLayers[j] ?? '', cka, text: cka.toFixed(2) }],
    ),
  )
  const cell = SIZE / Math.max(layers.length, goldLayers.length)
  const axis = { labelLimit: 110, labelOverlap: true, ticks: false, domain: false } as const
  const across = {
    field: 'gold',
    type: 'nominal' as const,
    title: 'layer of gold',
    scale: { domain: [...goldLayers] },
    axis: { ...axis, labelAngle: -50 },
  }
  const up = {
    field: 'layer',
    type: 'nominal' as const,
    title: 'layer of the model',
    scale: { domain: [...layers].reverse() },
    axis,
  }
  return {
    width: SIZE,
    height: SIZE,
    data: { values: cells },
    layer: [
      {
        mark: { type: 'rect', fill: 'var(--accent)', ...(cell >= 14 && { stroke: 'var(--page)' }) },
        encoding: {
          ...{ x: across, y: up },
          opacity: { field: 'cka', type: 'quantitative', scale: null, legend: null },
        },
      },
      // Numbers would not fit into smaller cells.
      ...(cell >= 26 ? textLayers({ x: across, y: up }, cell >= 34 ? 11 : 9) : []),
    ],
  }
}
