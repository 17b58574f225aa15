import { fileURLToPath } from 'node:url'
import { createColors } from 'picocolors'
import { formatProblem, UserError } from '../experiment/errors.ts'

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
    for (const problem of error.problems) console.error(red(formatProblem(problem)))
  else if (process.env.ZEROSHIFT_DEBUG !== undefined) console.error(error)
  else console.error(red(error instanceof Error ? error.message : String(error)))
}

/** Rows in aligned columns, two spaces apart. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows)
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length)
    })
  return rows
    .map((row) =>
      row
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
