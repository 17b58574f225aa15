import { inspect } from 'node:util'
import { fileURLToPath } from 'node:url'
import { createColors } from 'picocolors'
import { formatProblem, UserError } from '../../common/errors.ts'
import { masked, oneLine, shortened, visible, visibleJson } from '../../common/terminal-text.ts'

/**
 * All output of commands goes through this file, so that no name that others have chosen steers a
 * terminal or shows a credential.
 */

export function printTo(stream: NodeJS.WriteStream, text: string): void {
  stream.write(`${visible(text, { colour: isColoured(stream) })}\n`)
}

/** On standard output. */
export function print(text: string): void {
  printTo(process.stdout, text)
}

export function printError(text: string): void {
  printTo(process.stderr, text)
}

/**
 * One line on standard output. What JSON leaves as it is, and a terminal obeys, is escaped as JSON
 * has it.
 */
export function printJson(value: unknown): void {
  // Text by text: in JSON as a whole, what ends a URL may be a quotation mark's backslash.
  const text = JSON.stringify(shown(JSON.parse(JSON.stringify(value))))
  process.stdout.write(`${visibleJson(text)}\n`)
}

/** Plain data whose texts, those that are keys too, hold no credentials. */
function shown(value: unknown): unknown {
  if (typeof value === 'string') return masked(value)
  if (Array.isArray(value)) return value.map(shown)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [masked(key), shown(child)]))
}

/** Whether to colour what goes there: a terminal whose user has not asked for plain text. */
export function isColoured(stream: NodeJS.WriteStream): boolean {
  // `isTTY` is undefined where there is no terminal.
  return Boolean(stream.isTTY) && process.env.NO_COLOR === undefined
}

export function coloursOf(stream: NodeJS.WriteStream) {
  return createColors(isColoured(stream))
}

/** On standard error: a UserError line by line, `file:line:column: message`; anything else with where it came from. */
export function printProblem(error: unknown): void {
  const { red } = coloursOf(process.stderr)
  if (error instanceof UserError)
    for (const problem of error.problems) printError(red(oneLine(shortened(formatProblem(problem)))))
  else if (process.env.ZEROSHIFT_DEBUG !== undefined) printError(inspect(error))
  else printError(red(error instanceof Error ? error.message : String(error)))
}

/** Rows in aligned columns, two spaces apart. */
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

/** A place in the store, as a path where it is one. */
export function whereOf(url: string): string {
  return url.startsWith('file://') ? fileURLToPath(url) : url
}
