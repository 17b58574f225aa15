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
