import { inspect } from 'node:util'
import { fileURLToPath } from 'node:url'
import { createColors } from 'picocolors'
import { withCommandName } from '../../common/command-name.ts'
import { errorMessage, formatProblem, UserError } from '../../common/errors.ts'
import { masked, oneLine, shortened, visible, visibleJson } from '../../common/terminal-text.ts'

/**
 * The output of all commands. It escapes control characters, so that no text from elsewhere
 * controls the terminal, and masks credentials. Commands in messages are written as `./zeroshift …`
 * in the sources, and printed with the name by which the user called Zeroshift.
 */

export function printTo(stream: NodeJS.WriteStream, text: string): void {
  stream.write(`${visible(withCommandName(text), { colour: isColoured(stream) })}\n`)
}

/** Prints to standard output. */
export function print(text: string): void {
  printTo(process.stdout, text)
}

export function printError(text: string): void {
  printTo(process.stderr, text)
}

/**
 * Prints an address with the secret that it has, which the user needs to open it. Only Zeroshift
 * may have made the secret: a secret from elsewhere is never printed.
 */
export function printOwnAddress(url: URL): void {
  process.stdout.write(`${url.href}\n`)
}

/**
 * Prints one line of JSON to standard output. Characters that JSON allows but that control a
 * terminal are escaped.
 */
export function printJson(value: unknown): void {
  // Masks each text alone: in the complete JSON, a quotation mark's backslash could end a URL.
  const text = JSON.stringify(shown(JSON.parse(JSON.stringify(value))))
  process.stdout.write(`${visibleJson(text)}\n`)
}

/** Returns the data with credentials masked in all texts and keys. */
function shown(value: unknown): unknown {
  if (typeof value === 'string') return masked(withCommandName(value))
  if (Array.isArray(value)) return value.map(shown)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [masked(key), shown(child)]))
}

/** Whether the output may have colours: the stream is a terminal, and NO_COLOR is not set. */
export function isColoured(stream: NodeJS.WriteStream): boolean {
  // `isTTY` is undefined if the stream is no terminal.
  return Boolean(stream.isTTY) && process.env.NO_COLOR === undefined
}

export function coloursOf(stream: NodeJS.WriteStream) {
  return createColors(isColoured(stream))
}

/**
 * Prints an error to standard error. The problems of a UserError have the form `file:line:column:
 * message`. ZEROSHIFT_DEBUG adds the stack of other errors.
 */
export function printProblem(error: unknown): void {
  const { red } = coloursOf(process.stderr)
  if (error instanceof UserError)
    for (const problem of error.problems) printError(red(oneLine(shortened(formatProblem(problem)))))
  else if (process.env.ZEROSHIFT_DEBUG !== undefined) printError(inspect(error))
  else printError(red(errorMessage(error)))
}

/** Returns the rows in aligned columns, two spaces apart. */
export function columns(rows: readonly (readonly string[])[]): string {
  const lines = rows.map((row) => row.map(oneLine))
  const widths: number[] = []
  for (const line of lines)
    line.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length)
    })
  return lines
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Returns a URL in a store as a path if it names a file. */
export function pathOrUrl(url: string): string {
  return url.startsWith('file://') ? fileURLToPath(url) : url
}
