import { visible } from '../../common/terminal-text.ts'
import { coloursOf, isColoured, printTo } from './print.ts'

/** A part of a stack for the display. */
export interface Part {
  readonly name: string
  readonly where: string
  readonly about?: string
  /** Resolves when the part answers. A part without it only has a place. */
  readonly ready?: Promise<void>
}

const FRAME_MS = 80
const frames = [...'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏']

/**
 * Shows the parts of a stack until all are ready: one after the other on a terminal, otherwise
 * together at the end. `end` leaves the last state visible.
 */
export async function showStartup(
  parts: readonly Part[],
  stream: NodeJS.WriteStream,
): Promise<{ readonly allReady: Promise<void>; end(): void }> {
  const colours = coloursOf(stream)
  const pending = new Set(parts.filter(({ ready }) => ready !== undefined))
  const allReady = Promise.all(
    [...pending].map(async (part) => {
      await part.ready
      pending.delete(part)
    }),
  )
  const name = Math.max(...parts.map((part) => part.name.length))
  const where = Math.max(...parts.map((part) => (part.about ? part.where.length : 0)))
  const render = (frame: string) =>
    parts
      .map((part) => {
        const done = 'ready' in part ? colours.green('✓') : ' '
        const mark = pending.has(part) ? colours.yellow(frame) : done
        const about = part.about ? `  ${colours.dim(part.about)}` : ''
        return `${mark} ${colours.bold(part.name.padEnd(name))}  ${about ? part.where.padEnd(where) : part.where}${about}`
      })
      .join('\n')

  if (!stream.isTTY) {
    const shown = allReady.then(() => {
      printTo(stream, render(''))
    })
    return { allReady: shown, end: () => undefined }
  }
  const { createLogUpdate } = await import('log-update')
  const draw = createLogUpdate(stream)
  let ticks = 0
  const show = () => {
    draw(visible(render(frames[ticks++ % frames.length] ?? ''), { colour: isColoured(stream) }))
  }
  const timer = setInterval(show, FRAME_MS)
  let ended = false
  const end = () => {
    if (ended) return
    ended = true
    clearInterval(timer)
    show()
    draw.done()
  }
  show()
  return { allReady: allReady.then(end), end }
}
