import { useCallback, useMemo, useState } from 'preact/hooks'
import { Drawing, type Draw } from '../../drawing/drawing.tsx'
import type { Point } from '../../drawing/surface.ts'
import { sampled, type Axis, type Brushes, type SweepPoint } from './points.ts'

interface Props {
  readonly axes: readonly Axis[]
  readonly points: readonly SweepPoint[]
  readonly isSelected: (point: SweepPoint) => boolean
  readonly brushes: Brushes
  /** `isOver`: the reader has let go. */
  readonly onBrush: (brushes: Brushes, isOver: boolean) => void
}

/** From so many lines on, pixels are counted in place of drawing each line. */
const DENSE = 400
/** So many lines of each kind are in an exported SVG. */
export const MOST_LINES = 800
const HEIGHT = 300
const TOP = 44
const BOTTOM = 14
const LEFT = 90
const RIGHT = 24
/** A press that moves less than this is a click, which removes a range. */
const CLICK = 0.012
const NEAR = 22

/** Parallel coordinates. A drag along an axis chooses a range, and a click removes it. */
export function ParallelCoordinates({ axes, points, isSelected, brushes, onBrush }: Props) {
  const [press, setPress] = useState<{ key: string; from: number }>()
  // [points, axes], row-major. NaN: the point has no value.
  const places = useMemo(
    () => Float64Array.from(points.flatMap((point) => axes.map(({ place }) => place(point) ?? NaN))),
    [points, axes],
  )
  const draw = useCallback<Draw>(
    (surface, width, colours) => {
      const x = (i: number) => axisX(i, axes.length, width)
      const y = (at: number) => TOP + (1 - at) * (HEIGHT - TOP - BOTTOM)
      const rowsOf = (wanted: boolean) =>
        points.flatMap((point, row) => (isSelected(point) === wanted ? [row] : []))
      const layers = [
        { rows: rowsOf(false), fill: colours.rule, line: 0.8, most: 0.35 },
        { rows: rowsOf(true), fill: colours.accent, line: 1.2, most: 0.9 },
      ]
      for (const { rows, fill, line, most } of layers) {
        const opacityOf = (count: number) => Math.max(0.03, Math.min(most, 60 / Math.max(1, count)))
        if (surface.dense && points.length > DENSE) {
          surface.dense({ width, height: HEIGHT }, { fill, opacity: opacityOf(rows.length) }, (density) => {
            for (const { from, to, low, high, count } of segmentsOf(places, rows, axes.length, y))
              density.line(x(from), low, x(to), high, count)
          })
          continue
        }
        const drawn = sampled(rows, MOST_LINES)
        for (const row of drawn) {
          const corners = axes.flatMap((_, i) => {
            const at = places[row * axes.length + i] ?? NaN
            return Number.isNaN(at) ? [] : [{ x: x(i), y: y(at) }]
          })
          surface.line(corners, { stroke: fill, width: line, opacity: opacityOf(drawn.length) })
        }
      }
      axes.forEach(({ key, title, ticks }, i) => {
        surface.line(
          [
            { x: x(i), y: y(0) },
            { x: x(i), y: y(1) },
          ],
          { stroke: colours.muted, width: 1.5 },
        )
        surface.text({ x: x(i), y: 16 }, clipped(title, (width - LEFT) / axes.length), {
          ...{ fill: colours.ink, size: 12.5, align: 'center', isBold: true },
        })
        const brush = brushes[key]
        if (brush)
          surface.rectangle({ x: x(i) - 7, y: y(brush[1]) }, 14, Math.max(2, y(brush[0]) - y(brush[1])), {
            ...{ fill: colours.gold, opacity: 0.35, stroke: colours.gold },
          })
        for (const { at, text } of ticks)
          surface.text({ x: x(i) - 10, y: y(at) }, clipped(text, 120), {
            ...{ fill: colours.muted, size: 11, align: 'right', halo: colours.page },
          })
      })
    },
    [axes, points, places, isSelected, brushes],
  )
  const description = useMemo(
    () =>
      `Parallel coordinates of ${points.length} results over ${axes.map(({ title }) => title).join(', ')}. The menus below choose values by keyboard.`,
    [axes, points],
  )
  const placeOf = ({ y }: Point) => Math.min(1, Math.max(0, 1 - (y - TOP) / (HEIGHT - TOP - BOTTOM)))
  const axisAt = ({ x }: Point, width: number) => {
    const distances = axes.map((axis, i) => ({ axis, distance: Math.abs(axisX(i, axes.length, width) - x) }))
    const nearest = distances.reduce<(typeof distances)[number] | undefined>(
      (best, one) => (best && best.distance <= one.distance ? best : one),
      undefined,
    )
    return nearest && nearest.distance <= NEAR ? nearest.axis : undefined
  }
  const drag = (point: Point, isOver: boolean) => {
    if (!press) return
    const to = placeOf(point)
    const { [press.key]: _, ...others } = brushes
    const isClick = isOver && Math.abs(to - press.from) < CLICK
    onBrush(
      isClick ? others : { ...others, [press.key]: [Math.min(press.from, to), Math.max(press.from, to)] },
      isOver,
    )
  }
  return (
    <Drawing
      name="parallel coordinates"
      description={description}
      height={HEIGHT}
      draw={draw}
      onPointerDown={(point, width) => {
        const axis = axisAt(point, width)
        setPress(axis && { key: axis.key, from: placeOf(point) })
      }}
      onPointerMove={(point, _, isPressed) => {
        if (isPressed) drag(point, false)
      }}
      onPointerUp={(point) => {
        drag(point, true)
        setPress(undefined)
      }}
    />
  )
}

/** The parts of lines between two axes, from a height to another one, and how many are equal. */
interface Segment {
  readonly from: number
  readonly to: number
  readonly low: number
  readonly high: number
  readonly count: number
}

/** Heights are rounded to a half pixel, so that lines between values of parameters are equal. */
const PARTS = 2
const MOST_PARTS = 1024

/** The parts of the lines of some points. A line leads past the axes on which it has no value. */
function segmentsOf(
  places: Float64Array,
  rows: readonly number[],
  axes: number,
  y: (at: number) => number,
): readonly Segment[] {
  const counts = new Map<number, number>()
  for (const row of rows) {
    let before: { readonly axis: number; readonly part: number } | undefined
    for (let axis = 0; axis < axes; axis++) {
      const at = places[row * axes + axis] ?? NaN
      if (Number.isNaN(at)) continue
      const part = Math.round(PARTS * y(at))
      if (before) {
        const key = ((before.axis * axes + axis) * MOST_PARTS + before.part) * MOST_PARTS + part
        counts.set(key, (counts.get(key) ?? 0) + 1)
      }
      before = { axis, part }
    }
  }
  return Array.from(counts, ([key, count]) => {
    const pair = Math.floor(key / MOST_PARTS ** 2)
    return {
      from: Math.floor(pair / axes),
      to: pair % axes,
      low: (Math.floor(key / MOST_PARTS) % MOST_PARTS) / PARTS,
      high: (key % MOST_PARTS) / PARTS,
      count,
    }
  })
}

function axisX(i: number, count: number, width: number): number {
  return count < 2 ? LEFT : LEFT + (i * (width - LEFT - RIGHT - 20)) / (count - 1)
}

/** About as much of a text as fits into a width. */
function clipped(text: string, width: number): string {
  const most = Math.max(4, Math.floor(width / 6.6))
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`
}
