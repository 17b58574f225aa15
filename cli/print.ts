import { inspect } from 'node:util'
import { fileURLToPath } from 'node:url'
import { createColors } from 'picocolors'
import { withoutCredentials } from '../experiment/credentials.ts'
import { formatProblem, UserError } from '../experiment/errors.ts'

/**
 * All output of commands goes through this file. What is printed holds names that others have
 * chosen: of classes, folders, files, layers, keys of configs. None of them may steer a terminal or
 * show a credential.
 */

/**
 * Controls but tab and line break, and what reorders or hides text: bidi controls, invisible
 * characters, separators.
 */
const CONTROLS =
  /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g // eslint-disable-line no-control-regex
/** The colours that commands use themselves. */
const COLOUR = /^\x1b\[(?:0|1|2|22|3[0-9]|90)m/ // eslint-disable-line no-control-regex

/**
 * A text whose control characters are written out, such as \x1b; line breaks stay, and colours
 * where they are wanted.
 */
export function visible(text: string, { colour = false }: { readonly colour?: boolean } = {}): string {
  return withoutCredentials(text).replace(CONTROLS, (found, at: number, whole: string) =>
    colour && COLOUR.test(whole.slice(at, at + 6)) ? found : escaped(found),
  )
}

/** The same as one line. */
export function oneLine(text: string): string {
  return visible(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t')
}

function escaped(character: string): string {
  const code = character.charCodeAt(0)
  if (character === '\r') return '\\r'
  return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}

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
  process.stdout.write(
    `${text.replace(CONTROLS, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`,
  )
}

/** Plain data whose texts, those that are keys too, hold no credentials. */
function shown(value: unknown): unknown {
  if (typeof value === 'string') return withoutCredentials(value)
  if (Array.isArray(value)) return value.map(shown)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [withoutCredentials(key), shown(child)]),
  )
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
    for (const problem of error.problems) printError(red(oneLine(formatProblem(problem))))
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
