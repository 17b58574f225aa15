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

/** So many lines of each kind are drawn. More of them would hardly look different. */
export const MOST_LINES = 800
/** So many follow the pointer. */
const MOST_MOVING = 250
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
  const most = press ? MOST_MOVING : MOST_LINES
  const draw = useCallback<Draw>(
    (surface, width, colours) => {
      const x = (i: number) => axisX(i, axes.length, width)
      const y = (at: number) => TOP + (1 - at) * (HEIGHT - TOP - BOTTOM)
      const lineOf = (point: SweepPoint) =>
        axes.flatMap(({ place }, i) => {
          const at = place(point)
          return at === undefined ? [] : [{ x: x(i), y: y(at) }]
        })
      const selected = sampled(points.filter(isSelected), most)
      const others = points.filter((point) => !isSelected(point))
      for (const point of sampled(others, most))
        surface.line(lineOf(point), { stroke: colours.rule, width: 0.8, opacity: 0.35 })
      const opacity = Math.max(0.08, Math.min(0.9, 60 / Math.max(1, selected.length)))
      for (const point of selected)
        surface.line(lineOf(point), { stroke: colours.accent, width: 1.2, opacity })
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
    [axes, points, isSelected, brushes, most],
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

function axisX(i: number, count: number, width: number): number {
  return count < 2 ? LEFT : LEFT + (i * (width - LEFT - RIGHT - 20)) / (count - 1)
}

/** About as much of a text as fits into a width. */
function clipped(text: string, width: number): string {
  const most = Math.max(4, Math.floor(width / 6.6))
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`
}
