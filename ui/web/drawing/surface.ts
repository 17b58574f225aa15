import type { Density } from './density.ts'

/** What the page draws on: a canvas on the screen, or the text of an SVG in an export. */
export interface Surface {
  line(points: readonly Point[], style: LineStyle): void
  circle(centre: Point, radius: number, fill: string, opacity?: number): void
  /** A filled polygon. */
  shape(corners: readonly Point[], style: Omit<AreaStyle, 'stroke'>): void
  rectangle(corner: Point, width: number, height: number, style: AreaStyle): void
  text(at: Point, text: string, style: TextStyle): void
  /**
   * Draws thousands of lines or discs of one colour at once. The opacity is that of one of them.
   * Absent where there are no pixels.
   */
  dense?(
    size: Size,
    style: Pick<AreaStyle, 'fill'> & { readonly opacity: number },
    cover: (density: Density) => void,
  ): void
}

export interface Size {
  readonly width: number
  readonly height: number
}

export interface Point {
  readonly x: number
  readonly y: number
}

export interface LineStyle {
  readonly stroke: string
  readonly width: number
  readonly opacity?: number
  readonly dash?: readonly number[]
}

export interface AreaStyle {
  readonly fill: string
  readonly opacity?: number
  readonly stroke?: string
}

export interface TextStyle {
  readonly fill: string
  readonly size: number
  readonly align?: 'left' | 'center' | 'right'
  readonly isBold?: boolean
  /** The colour around the letters, which keeps them readable over lines. */
  readonly halo?: string
}

/** With single quotes, since it also stands in attributes of SVG. */
export const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

/** Returns a surface, and a function that returns what was drawn on it as the text of an SVG. */
export function svgSurface(width: number, height: number, background: string) {
  const parts: string[] = []
  const number = (value: number) => String(Number(value.toFixed(2)))
  const attributes = (values: Readonly<Record<string, string | number | undefined>>) =>
    Object.entries(values)
      .flatMap(([name, value]) =>
        value === undefined
          ? []
          : [` ${name}="${typeof value === 'number' ? number(value) : escaped(value)}"`],
      )
      .join('')
  const surface: Surface = {
    line(points, { stroke, width: strokeWidth, opacity, dash }) {
      const path = points.map(({ x, y }) => `${number(x)},${number(y)}`).join(' ')
      const style = {
        ...{ stroke, 'stroke-width': strokeWidth, 'stroke-opacity': opacity },
        'stroke-dasharray': dash?.join(' '),
      }
      parts.push(`<polyline points="${path}" fill="none"${attributes(style)}/>`)
    },
    circle({ x, y }, radius, fill, opacity) {
      parts.push(`<circle${attributes({ cx: x, cy: y, r: radius, fill, 'fill-opacity': opacity })}/>`)
    },
    shape(corners, { fill, opacity }) {
      const path = corners.map(({ x, y }) => `${number(x)},${number(y)}`).join(' ')
      parts.push(`<polygon points="${path}"${attributes({ fill, 'fill-opacity': opacity })}/>`)
    },
    rectangle({ x, y }, w, h, { fill, opacity, stroke }) {
      parts.push(`<rect${attributes({ x, y, width: w, height: h, fill, 'fill-opacity': opacity, stroke })}/>`)
    },
    text({ x, y }, text, { fill, size, align = 'left', isBold, halo }) {
      const anchor = { left: 'start', center: 'middle', right: 'end' }[align]
      const style = {
        ...{ x, y, fill, 'font-size': size, 'text-anchor': anchor, 'dominant-baseline': 'central' },
        'font-weight': isBold ? '600' : undefined,
        ...(halo !== undefined && { stroke: halo, 'stroke-width': 4, 'paint-order': 'stroke' }),
      }
      parts.push(`<text${attributes(style)}>${escaped(text)}</text>`)
    },
  }
  return {
    surface,
    svg: () =>
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"${attributes({ 'font-family': FONT })}>` +
      `<rect width="${width}" height="${height}"${attributes({ fill: background })}/>${parts.join('')}</svg>`,
  }
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
