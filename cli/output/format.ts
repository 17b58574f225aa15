import { oneLine } from '../../common/terminal-text.ts'
import { minutesAndHours } from '../../report/format.ts'

/** Returns a duration such as `3.2 s`, `2 min 5 s` or `1 h 3 min`. */
export function duration(seconds: number): string {
  return seconds < 60 ? `${seconds.toFixed(seconds < 9.95 ? 1 : 0)} s` : minutesAndHours(seconds)
}

/** Returns a number with its noun, such as `1 stage` or `2 stages`. */
export function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}

/** Cuts a line to a width and escapes its control characters. An ellipsis marks the cut. */
export function clip(text: string, width: number): string {
  const line = oneLine(text)
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`
}

/** Returns the date and the minute in UTC. `date` is in milliseconds since 1970. */
export function dateText(date: number): string {
  return new Date(date).toISOString().replace('T', ' ').slice(0, 16)
}

/** Returns the text on one line: each sequence of white space becomes a space. */
export function joinLines(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
