import type { ShownValue } from './comparison.ts'

const LONGEST = 40

/** A value of a spec as tables show it: what is not plain by its name, kind or method, else as JSON that is cut off. */
export function shownValue(value: unknown): ShownValue {
  if (value === undefined || value === null) return null
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  const { name, kind, method } = value as Readonly<Record<string, unknown>>
  const called = [name, kind, method].find((word) => typeof word === 'string')
  if (typeof called === 'string') return called
  const json = JSON.stringify(value)
  return json.length <= LONGEST ? json : `${json.slice(0, LONGEST - 1)}…`
}
