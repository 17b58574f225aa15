import { useEffect, useRef, useState } from 'preact/hooks'
import type { Point } from '../../../../../../experiment/records/feature-maps.ts'
import { onThemeChange } from '../../../../shell/theme.ts'
import { colourOf, nearest, placed, within, type MapQuery, type Sample, type Square } from './map-state.ts'

interface Props {
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

/** A press that moves less than this number of pixels is a click. */
const CLICK = 4

/** One map. Hovering marks a sample, and dragging selects samples, in all maps. */
export function MapCanvas({
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
  const canvas = useRef<HTMLCanvasElement>(null)
  const size = useWidth(canvas)
  const theme = useThemeCount()
  const [drag, setDrag] = useState<readonly [Point, Point]>()
  const isShown = (index: number) => {
    const sample = samples[index]
    return sample !== undefined && query.sets.includes(sample.set)
  }
  useEffect(() => {
    if (size === 0) return undefined
    // Of several changes before a frame, the last one is drawn.
    const frame = requestAnimationFrame(() => {
      const context = contextOf(canvas.current, size)
      if (context) drawMap(context, { samples, points, square, query, selected, hovered, drag, size })
    })
    return () => {
      cancelAnimationFrame(frame)
    }
  }, [samples, points, square, query, selected, hovered, drag, size, theme])
  const placeOf = ({ clientX, clientY }: PointerEvent): Point => {
    const { left, top } = canvas.current?.getBoundingClientRect() ?? { left: 0, top: 0 }
    return [clientX - left, clientY - top]
  }
  return (
    <canvas
      ref={canvas}
      class="feature-map"
      role="img"
      aria-label={description}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        const place = placeOf(event)
        setDrag([place, place])
      }}
      onPointerMove={(event) => {
        const place = placeOf(event)
        if (drag) setDrag([drag[0], place])
        else onHover(nearest(points, isShown, square, size, place))
      }}
      onPointerUp={(event) => {
        if (!drag) return
        const to = placeOf(event)
        setDrag(undefined)
        const isClick = Math.hypot(to[0] - drag[0][0], to[1] - drag[0][1]) < CLICK
        const one = isClick ? nearest(points, isShown, square, size, to) : undefined
        onSelect(
          isClick
            ? new Set(one === undefined ? [] : [one])
            : within(points, isShown, square, size, [drag[0], to]),
        )
      }}
      onPointerCancel={() => {
        setDrag(undefined)
      }}
      onPointerLeave={() => {
        onHover(undefined)
      }}
    />
  )
}

/** The width of an element in pixels, 0 before it is known. */
function useWidth(element: { readonly current: Element | null }): number {
  const [width, setWidth] = useState(0)
  useEffect(() => {
    if (!element.current) return undefined
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setWidth(Math.floor(entry.contentRect.width))
    })
    observer.observe(element.current)
    return () => {
      observer.disconnect()
    }
  }, [element])
  return width
}

/** A number that changes with the colours of the page. */
function useThemeCount(): number {
  const [count, setCount] = useState(0)
  useEffect(
    () =>
      onThemeChange(() => {
        setCount((before) => before + 1)
      }),
    [],
  )
  return count
}

function contextOf(canvas: HTMLCanvasElement | null, size: number): CanvasRenderingContext2D | undefined {
  const context = canvas?.getContext('2d')
  if (!canvas || !context) return undefined
  canvas.width = Math.round(size * devicePixelRatio)
  canvas.height = canvas.width
  context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0)
  context.clearRect(0, 0, size, size)
  return context
}

interface Scene extends Pick<Props, 'samples' | 'points' | 'square' | 'query' | 'selected' | 'hovered'> {
  readonly drag: readonly [Point, Point] | undefined
  readonly size: number
}

/** Retained samples are dots, test samples rings, and forget samples diamonds above the others. */
function drawMap(
  context: CanvasRenderingContext2D,
  { samples, points, square, query, selected, hovered, drag, size }: Scene,
): void {
  const style = getComputedStyle(document.documentElement)
  const colours = new Map<string, string>()
  const valueOf = (name: string) => {
    const known = colours.get(name) ?? style.getPropertyValue(`--${name}`).trim()
    colours.set(name, known)
    return known
  }
  const draw = (index: number, sample: Sample) => {
    const point = points[index]
    if (!point) return
    const [x, y] = placed(point, square, size)
    context.globalAlpha = selected.size === 0 || selected.has(index) ? 0.9 : 0.13
    context.fillStyle = valueOf(colourOf(sample, query.colour))
    context.beginPath()
    if (sample.set === 'forget') {
      context.moveTo(x - 4, y)
      context.lineTo(x, y - 4)
      context.lineTo(x + 4, y)
      context.lineTo(x, y + 4)
      context.closePath()
      context.fill()
      context.strokeStyle = valueOf('ink')
      context.lineWidth = 0.8
      context.stroke()
    } else if (sample.set === 'retained') {
      context.arc(x, y, 2.1, 0, 2 * Math.PI)
      context.fill()
    } else {
      context.strokeStyle = context.fillStyle
      context.lineWidth = 1.1
      context.arc(x, y, 2.4, 0, 2 * Math.PI)
      context.stroke()
    }
  }
  for (const set of ['retained', 'test', 'forget'] as const)
    if (query.sets.includes(set))
      samples.forEach((sample, i) => {
        if (sample.set === set) draw(i, sample)
      })
  const marked = hovered === undefined ? undefined : points[hovered]
  if (marked) {
    const [x, y] = placed(marked, square, size)
    context.globalAlpha = 1
    for (const [radius, width, name] of [
      [9, 4, 'page'],
      [9, 2, 'ink'],
    ] as const) {
      context.strokeStyle = valueOf(name)
      context.lineWidth = width
      context.beginPath()
      context.arc(x, y, radius, 0, 2 * Math.PI)
      context.stroke()
    }
  }
  if (drag) {
    const [[x, y], [u, v]] = drag
    context.globalAlpha = 1
    context.strokeStyle = valueOf('accent')
    context.lineWidth = 1.2
    context.setLineDash([4, 3])
    context.strokeRect(x, y, u - x, v - y)
    context.setLineDash([])
  }
}
