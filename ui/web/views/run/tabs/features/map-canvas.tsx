import { useCallback, useState } from 'preact/hooks'
import type { Point } from '../../../../../../experiment/records/feature-maps.ts'
import type { Colours } from '../../../../drawing/colours.ts'
import { Drawing, type Draw } from '../../../../drawing/drawing.tsx'
import type { Point as Place, Surface } from '../../../../drawing/surface.ts'
import { colourOf, nearest, placed, within, type MapQuery, type Sample, type Square } from './map-state.ts'

interface Props {
  /** The name of exported files. */
  readonly name: string
  readonly description: string
  readonly samples: readonly Sample[]
  readonly points: readonly Point[]
  readonly square: Square
  readonly query: Pick<MapQuery, 'colour' | 'sets'>
  readonly selected: ReadonlySet<number>
  readonly hovered: number | undefined
  readonly onHover: (index: number | undefined) => void
  readonly onSelect: (selected: ReadonlySet<number>) => void
}

const HEIGHT = 240
/** A press that moves less than this number of pixels is a click. */
const CLICK = 4

/** One map. Hovering marks a sample, and dragging selects samples, in all maps. */
export function MapCanvas({
  name,
  description,
  samples,
  points,
  square,
  query,
  selected,
  hovered,
  onHover,
  onSelect,
}: Props) {
  const [drag, setDrag] = useState<readonly [Place, Place]>()
  const isShown = (index: number) => {
    const sample = samples[index]
    return sample !== undefined && query.sets.includes(sample.set)
  }
  const draw = useCallback<Draw>(
    (surface, width, colours) => {
      drawMap(surface, width, colours, { samples, points, square, query, selected, hovered })
      if (!drag) return
      const [from, to] = drag
      surface.rectangle(
        { x: Math.min(from.x, to.x), y: Math.min(from.y, to.y) },
        Math.abs(to.x - from.x),
        Math.abs(to.y - from.y),
        { fill: colours.accent, opacity: 0.12, stroke: colours.accent },
      )
    },
    [samples, points, square, query, selected, hovered, drag],
  )
  return (
    <Drawing
      name={name}
      description={description}
      height={HEIGHT}
      draw={draw}
      onPointerDown={(place) => {
        setDrag([place, place])
      }}
      onPointerMove={(place, width, isPressed) => {
        if (drag && isPressed) setDrag([drag[0], place])
        else onHover(nearest(points, isShown, square, ...onMap(width, place)))
      }}
      onPointerUp={(place, width) => {
        if (!drag) return
        setDrag(undefined)
        const [size, to] = onMap(width, place)
        const [, from] = onMap(width, drag[0])
        const isClick = Math.hypot(to[0] - from[0], to[1] - from[1]) < CLICK
        const one = isClick ? nearest(points, isShown, square, size, to) : undefined
        onSelect(
          isClick
            ? new Set(one === undefined ? [] : [one])
            : within(points, isShown, square, size, [from, to]),
        )
      }}
      onPointerLeave={() => {
        onHover(undefined)
      }}
    />
  )
}

/** The map is the largest square in the middle of the drawing. */
function squareIn(width: number) {
  const size = Math.min(width, HEIGHT)
  return { size, left: (width - size) / 2, top: (HEIGHT - size) / 2 }
}

/** The size of the map, and a place of the drawing as a point of the map. */
function onMap(width: number, { x, y }: Place): [number, Point] {
  const { size, left, top } = squareIn(width)
  return [size, [x - left, y - top]]
}

type Scene = Pick<Props, 'samples' | 'points' | 'square' | 'query' | 'selected' | 'hovered'>

/** Retained samples are dots, test samples rings, and forget samples diamonds above the others. */
function drawMap(
  surface: Surface,
  width: number,
  colours: Colours,
  { samples, points, square, query, selected, hovered }: Scene,
): void {
  const { size, left, top } = squareIn(width)
  const placeOf = (point: Point): Place => {
    const [x, y] = placed(point, square, size)
    return { x: x + left, y: y + top }
  }
  const draw = (index: number, sample: Sample) => {
    const point = points[index]
    if (!point) return
    const at = placeOf(point)
    const opacity = selected.size === 0 || selected.has(index) ? 0.9 : 0.13
    const colour = colours[colourOf(sample, query.colour)]
    if (sample.set === 'retained') surface.circle(at, 2.1, colour, opacity)
    else if (sample.set === 'test') surface.line(ring(at, 2.4), { stroke: colour, width: 1.1, opacity })
    else {
      surface.shape(diamond(at, 4), { fill: colour, opacity })
      surface.line(diamond(at, 4), { stroke: colours.ink, width: 0.8, opacity })
    }
  }
  surface.rectangle({ x: left + 0.5, y: top + 0.5 }, size - 1, size - 1, {
    ...{ fill: colours.page, opacity: 0, stroke: colours.grid },
  })
  for (const set of ['retained', 'test', 'forget'] as const)
    if (query.sets.includes(set))
      samples.forEach((sample, i) => {
        if (sample.set === set) draw(i, sample)
      })
  const marked = hovered === undefined ? undefined : points[hovered]
  if (!marked) return
  const mark = ring(placeOf(marked), 9)
  surface.line(mark, { stroke: colours.page, width: 4 })
  surface.line(mark, { stroke: colours.ink, width: 2 })
}

/** A closed line around a place. */
function ring({ x, y }: Place, radius: number): readonly Place[] {
  const corners = 16
  return Array.from({ length: corners + 1 }, (_, i) => {
    const angle = (2 * Math.PI * i) / corners
    return { x: x + radius * Math.cos(angle), y: y + radius * Math.sin(angle) }
  })
}

function diamond({ x, y }: Place, radius: number): readonly Place[] {
  return [
    { x: x - radius, y },
    { x, y: y - radius },
    { x: x + radius, y },
    { x, y: y + radius },
    { x: x - radius, y },
  ]
}
