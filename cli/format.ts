import { minutesAndHours } from '../report/format.ts'

/** `3.2 s`, `2 min 5 s`, `1 h 3 min`: as exact as a person needs. */
export function duration(seconds: number): string {
  return seconds < 60 ? `${seconds.toFixed(seconds < 9.95 ? 1 : 0)} s` : minutesAndHours(seconds)
}

/** `1 stage`, `2 stages`. */
export function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}

/** Cuts a line to a width; an ellipsis marks the cut. */
export function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}
