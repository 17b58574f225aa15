import { Density } from './density.ts'
import { FONT, type Surface } from './surface.ts'

/** The surface of a canvas on the screen. */
export function canvasSurface(context: CanvasRenderingContext2D): Surface {
  return {
    line(points, { stroke, width, opacity = 1, dash = [] }) {
      context.globalAlpha = opacity
      context.strokeStyle = stroke
      context.lineWidth = width
      context.setLineDash([...dash])
      context.beginPath()
      points.forEach(({ x, y }, i) => {
        if (i === 0) context.moveTo(x, y)
        else context.lineTo(x, y)
      })
      context.stroke()
    },
    circle({ x, y }, radius, fill, opacity = 1) {
      context.globalAlpha = opacity
      context.fillStyle = fill
      context.beginPath()
      context.arc(x, y, radius, 0, 2 * Math.PI)
      context.fill()
    },
    shape(corners, { fill, opacity = 1 }) {
      context.globalAlpha = opacity
      context.fillStyle = fill
      context.beginPath()
      corners.forEach(({ x, y }, i) => {
        if (i === 0) context.moveTo(x, y)
        else context.lineTo(x, y)
      })
      context.fill()
    },
    rectangle({ x, y }, width, height, { fill, opacity = 1, stroke }) {
      context.globalAlpha = opacity
      context.fillStyle = fill
      context.fillRect(x, y, width, height)
      if (stroke === undefined) return
      context.globalAlpha = 1
      context.strokeStyle = stroke
      context.lineWidth = 1
      context.setLineDash([])
      context.strokeRect(x, y, width, height)
    },
    dense({ width, height }, { fill, opacity }, cover) {
      const { density, image, layer } = scratchOf(width, height)
      density.clear()
      cover(density)
      density.paint(image.data, channelsOf(context, fill), opacity)
      layer.getContext('2d')?.putImageData(image, 0, 0)
      context.globalAlpha = 1
      context.drawImage(layer, 0, 0, density.width, density.height)
    },
    text({ x, y }, text, { fill, size, align = 'left', isBold = false, halo }) {
      context.globalAlpha = 1
      context.font = `${isBold ? '600 ' : ''}${size}px ${FONT}`
      context.textAlign = align
      context.textBaseline = 'middle'
      if (halo !== undefined) {
        context.strokeStyle = halo
        context.lineWidth = 4
        context.setLineDash([])
        context.lineJoin = 'round'
        context.strokeText(text, x, y)
      }
      context.fillStyle = fill
      context.fillText(text, x, y)
    },
  }
}

/** The channels of a colour of CSS. A canvas writes opaque colours as #rrggbb. */
function channelsOf(context: CanvasRenderingContext2D, colour: string): readonly [number, number, number] {
  context.fillStyle = colour
  const text = typeof context.fillStyle === 'string' ? context.fillStyle : ''
  const channel = (i: number) => Number.parseInt(text.slice(1 + 2 * i, 3 + 2 * i), 16)
  return [channel(0), channel(1), channel(2)]
}

interface Scratch {
  readonly density: Density
  readonly image: ImageData
  readonly layer: HTMLCanvasElement
}

/** The memory of the last dense drawing, which the next one of its size uses again. */
let scratch: Scratch | undefined

function scratchOf(width: number, height: number): Scratch {
  const wanted = { width: Math.max(1, Math.ceil(width)), height: Math.max(1, Math.ceil(height)) }
  const known = scratch?.density
  if (scratch && known?.width === wanted.width && known.height === wanted.height) return scratch
  const layer = document.createElement('canvas')
  Object.assign(layer, wanted)
  const image = new ImageData(wanted.width, wanted.height)
  scratch = { density: new Density(width, height), image, layer }
  return scratch
}
