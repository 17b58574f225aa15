import { useCallback, useState } from 'preact/hooks'
import { costAxis, gapScale } from '../../../../report/charts/scales.ts'
import { significant } from '../../../../report/format.ts'
import { Drawing, type Draw } from '../../drawing/drawing.tsx'
import type { Point } from '../../drawing/surface.ts'
import type { SweepPoint } from './points.ts'

interface Props {
  readonly points: readonly SweepPoint[]
  readonly isSelected: (point: SweepPoint) => boolean
  /** The text of a point that the reader points at. */
  readonly textOf: (point: SweepPoint) => string
  readonly onOpen: (point: SweepPoint) => void
}

const HEIGHT = 300
const MARGIN = { left: 46, right: 14, top: 14, bottom: 40 }
const NEAR = 12

/** Average gap over cost, with the scales of the chart in reports. */
export function CostChart({ points, isSelected, textOf, onOpen }: Props) {
  const [hovered, setHovered] = useState<{ point: SweepPoint; at: Point }>()
  const known = points.filter(({ gap, rte }) => gap !== undefined && rte !== undefined && rte > 0)
  const x = costAxis([1, ...known.map(({ rte = 1 }) => rte)], 2, [0.8, 1.3])
  const [left = 0.1, right = 10] = x.scale.domain
  const plotHeight = HEIGHT - MARGIN.top - MARGIN.bottom
  const y = gapScale([1, ...known.map(({ gap = 0 }) => gap)], plotHeight)
  const [, highest = 1] = y.scale.domain
  const placeX = (rte: number, width: number) =>
    MARGIN.left + ((width - MARGIN.left - MARGIN.right) * Math.log(rte / left)) / Math.log(right / left)
  const placeY = (gap: number) => MARGIN.top + plotHeight * (1 - Math.log1p(gap) / Math.log1p(highest))
  const draw = useCallback<Draw>(
    (surface, width, colours) => {
      for (const tick of y.axis.values) {
        const at = placeY(tick)
        surface.line(
          [
            { x: MARGIN.left, y: at },
            { x: width - MARGIN.right, y: at },
          ],
          { stroke: colours.grid, width: 1 },
        )
        surface.text({ x: MARGIN.left - 8, y: at }, String(tick), {
          fill: colours.muted,
          size: 11,
          align: 'right',
        })
      }
      let lastTick = -Infinity
      for (const tick of x.axis.values) {
        const at = placeX(tick, width)
        surface.line(
          [
            { x: at, y: MARGIN.top },
            { x: at, y: HEIGHT - MARGIN.bottom },
          ],
          { stroke: colours.grid, width: 1 },
        )
        if (at - lastTick < 34) continue
        lastTick = at
        surface.text({ x: at, y: HEIGHT - MARGIN.bottom + 14 }, String(Number(tick.toPrecision(3))), {
          ...{ fill: colours.muted, size: 11, align: 'center' },
        })
      }
      surface.text(
        { x: width - MARGIN.right, y: HEIGHT - 10 },
        'wall time over that of retraining, RTE (log)',
        {
          ...{ fill: colours.muted, size: 11, align: 'right' },
        },
      )
      surface.text({ x: MARGIN.left + 4, y: 8 }, 'points of average gap (log)', {
        fill: colours.muted,
        size: 11,
      })
      const isDense = known.length > 400
      for (const wanted of [false, true]) {
        const shown = known.filter((point) => isSelected(point) === wanted)
        const placed = shown.map(({ rte = 1, gap = 0 }) => ({ x: placeX(rte, width), y: placeY(gap) }))
        const fill = wanted ? colours.accent : colours.rule
        const [radius, opacity] = isDense ? [2.5, wanted ? 0.6 : 0.5] : [4.5, wanted ? 0.85 : 0.5]
        if (isDense && surface.dense)
          surface.dense({ width, height: HEIGHT }, { fill, opacity }, (density) => {
            for (const at of placed) density.disc(at.x, at.y, radius)
          })
        else for (const at of placed) surface.circle(at, radius, fill, opacity)
      }
      if (hovered)
        surface.circle(
          { x: placeX(hovered.point.rte ?? 1, width), y: placeY(hovered.point.gap ?? 0) },
          6,
          colours.gold,
        )
    },
    [points, isSelected, hovered],
  )
  const nearest = (at: Point, width: number) => {
    let best: SweepPoint | undefined
    let least = NEAR ** 2
    for (const point of known) {
      if (!isSelected(point)) continue
      const distance = (placeX(point.rte ?? 1, width) - at.x) ** 2 + (placeY(point.gap ?? 0) - at.y) ** 2
      if (distance >= least) continue
      best = point
      least = distance
    }
    return best
  }
  if (known.length === 0) return <p class="note">No cell has a gap and a cost yet.</p>
  const best = known.reduce((a, b) => ((b.gap ?? Infinity) < (a.gap ?? Infinity) ? b : a))
  return (
    <Drawing
      name="cost against gap"
      description={`Average gap over cost of ${known.length} results. The lowest gap is ${significant(best.gap ?? 0)} points at an RTE of ${significant(best.rte ?? 0)}.`}
      height={HEIGHT}
      draw={draw}
      onPointerMove={(at, width) => {
        const point = nearest(at, width)
        setHovered((before) => (before?.point === point ? before : point && { point, at }))
      }}
      onPointerLeave={() => {
        setHovered(undefined)
      }}
      onPointerUp={(at, width) => {
        const point = nearest(at, width)
        if (point) onOpen(point)
      }}
    >
      {hovered && (
        <div
          class="tip inside"
          style={{ left: `${Math.max(120, hovered.at.x)}px`, top: `${hovered.at.y + 14}px` }}
        >
          {textOf(hovered.point)}
        </div>
      )}
    </Drawing>
  )
}
