import { oneLine } from '../../common/terminal-text.ts'
import { minutesAndHours } from '../../report/format.ts'

/** `3.2 s`, `2 min 5 s`, `1 h 3 min`: as exact as a person needs. */
export function duration(seconds: number): string {
  return seconds < 60 ? `${seconds.toFixed(seconds < 9.95 ? 1 : 0)} s` : minutesAndHours(seconds)
}

/** `1 stage`, `2 stages`. */
export function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}

/** Cuts a line to a width, with its control characters written out; an ellipsis marks the cut. */
export function clip(text: string, width: number): string {
  const line = oneLine(text)
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`
}

/** `512 B`, `3.2 kB`, `1.23 GB`: three digits, powers of 1000. */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let value = bytes
  let power = 0
  while (value >= 999.5 && power < units.length - 1) {
    value /= 1000
    power++
  }
  const digits = power === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
  return `${value.toFixed(digits)} ${units[power] ?? ''}`
}

/** To the minute, UTC, of milliseconds since 1970. */
export function dateText(date: number): string {
  return new Date(date).toISOString().replace('T', ' ').slice(0, 16)
}
