import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const launcher = fileURLToPath(new URL('../../zeroshift', import.meta.url))

/**
 * Runs `./zeroshift` in a pseudo-terminal and keeps what its screen shows. Lines that a display
 * redraws are there once.
 */
export function terminal(
  directory: string,
  args: readonly string[],
  { columns }: { readonly columns: number },
) {
  const { ZEROSHIFT_STORE: _store, TEMPORAL_ADDRESS: _address, NO_COLOR: _plain, ...env } = process.env
  const words = [launcher, ...args].map((word) => `'${word}'`).join(' ')
  const child = spawn('script', ['-qefc', `stty cols ${columns} rows 50; ${words}`, '/dev/null'], {
    cwd: directory,
    env: { ...env, TERM: 'xterm-256color' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (data: Buffer) => (text += data.toString()))
  const ended = once(child, 'close')
  const screen = () => screenOf(text)
  return {
    screen,
    ended,
    /** Resolves when the screen looks like it. */
    async shows(wanted: RegExp): Promise<void> {
      const deadline = performance.now() + 60_000
      while (!wanted.test(screen())) {
        if (performance.now() > deadline) throw new Error(`no ${String(wanted)} on the screen:\n${screen()}`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
  }
}

/** The escapes by which `log-update` moves and erases; colours and all else leave no trace. */
// eslint-disable-next-line no-control-regex
const escape = /\u001b\[(\?)?(\d*)(?:;\d+)*([A-Za-z])/y

/** Returns the content of a screen after a text was written to it. */
export function screenOf(text: string): string {
  const lines: string[] = ['']
  let [row, column] = [0, 0]
  for (let i = 0; i < text.length;) {
    escape.lastIndex = i
    const found = escape.exec(text)
    if (found) {
      const count = Number(found[2] === '' ? 1 : found[2])
      switch (found[3]) {
        case 'A':
          row = Math.max(0, row - count)
          break
        case 'G':
          column = count - 1
          break
        case 'K':
          lines[row] = found[2] === '2' ? '' : (lines[row] ?? '').slice(0, column)
          break
        case 'J':
          lines.length = row + 1
          lines[row] = (lines[row] ?? '').slice(0, column)
          break
        default:
      }
      i = escape.lastIndex
      continue
    }
    const character = text[i] ?? ''
    if (character === '\n') lines[++row] ??= ''
    else if (character === '\r') column = 0
    else {
      const line = (lines[row] ?? '').padEnd(column)
      lines[row] = line.slice(0, column) + character + line.slice(column + 1)
      column++
    }
    i++
  }
  return lines.join('\n')
}
