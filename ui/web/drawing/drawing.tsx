import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { ChartMenu } from '../controls/chart-menu.tsx'
import { onThemeChange } from '../shell/theme.ts'
import type { Colours } from './colours.ts'
import { currentColours } from './current-colours.ts'
import { canvasSurface } from './canvas-surface.ts'
import { svgSurface, type Point, type Surface } from './surface.ts'

/** Draws at a width in pixels. Called for each frame that changes. */
export type Draw = (surface: Surface, width: number, colours: Colours) => void

interface Props {
  /** The name of exported files. */
  readonly name: string
  /** The text for a screen reader. */
  readonly description: string
  readonly height: number
  readonly draw: Draw
  readonly onPointerDown?: (point: Point, width: number) => void
  readonly onPointerMove?: (point: Point, width: number, isPressed: boolean) => void
  readonly onPointerUp?: (point: Point, width: number) => void
  readonly onPointerLeave?: () => void
  /** Elements above the drawing. */
  readonly children?: ComponentChildren
}

/** A drawing on a canvas, which is as wide as its place and can be exported. */
export function Drawing({ name, description, height, draw, children, ...pointer }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [width, setWidth] = useState(0)
  const [theme, setTheme] = useState(0)
  useEffect(() => {
    if (!canvas.current) return undefined
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setWidth(Math.floor(entry.contentRect.width))
    })
    observer.observe(canvas.current)
    const end = onThemeChange(() => {
      setTheme((n) => n + 1)
    })
    return () => {
      observer.disconnect()
      end()
    }
  }, [])
  useEffect(() => {
    if (width === 0) return undefined
    // The last change before a frame is the one that is drawn.
    const frame = requestAnimationFrame(() => {
      const element = canvas.current
      const context = element?.getContext('2d')
      if (!element || !context) return
      const scale = devicePixelRatio
      element.width = Math.round(width * scale)
      element.height = Math.round(height * scale)
      context.setTransform(scale, 0, 0, scale, 0, 0)
      context.clearRect(0, 0, width, height)
      draw(canvasSurface(context), width, currentColours())
    })
    return () => {
      cancelAnimationFrame(frame)
    }
  }, [draw, width, height, theme])
  const pointOf = ({ clientX, clientY }: PointerEvent): Point => {
    const { left, top } = canvas.current?.getBoundingClientRect() ?? { left: 0, top: 0 }
    return { x: clientX - left, y: clientY - top }
  }
  return (
    <div class="drawing">
      <ChartMenu
        name={name}
        svg={() => {
          const colours = currentColours()
          const { surface, svg } = svgSurface(width, height, colours.page)
          draw(surface, width, colours)
          return Promise.resolve(svg())
        }}
        png={() => Promise.resolve(withBackground(canvas.current))}
      />
      <canvas
        ref={canvas}
        role="img"
        aria-label={description}
        style={{ height: `${height}px` }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          pointer.onPointerDown?.(pointOf(event), width)
        }}
        onPointerMove={(event) => {
          pointer.onPointerMove?.(pointOf(event), width, event.buttons > 0)
        }}
        onPointerUp={(event) => {
          pointer.onPointerUp?.(pointOf(event), width)
        }}
        onPointerLeave={() => {
          pointer.onPointerLeave?.()
        }}
      />
      {children}
    </div>
  )
}

/** The same picture on the colour of the page. */
function withBackground(canvas: HTMLCanvasElement | null): HTMLCanvasElement {
  const copy = document.createElement('canvas')
  copy.width = canvas?.width ?? 0
  copy.height = canvas?.height ?? 0
  const context = copy.getContext('2d')
  if (context && canvas) {
    context.fillStyle = currentColours().page
    context.fillRect(0, 0, copy.width, copy.height)
    context.drawImage(canvas, 0, 0)
  }
  return copy
}
