import type { ShownValue } from './comparison.ts'

const LONGEST = 40

/**
 * A value of a spec as tables show it. An object is shown by its name, kind or method, or else as
 * JSON, cut off after 40 characters.
 */
export function shownValue(value: unknown): ShownValue {
  if (value === undefined || value === null) return null
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  const { name, kind, method } = value as Readonly<Record<string, unknown>>
  const called = [name, kind, method].find((word) => typeof word === 'string')
  if (typeof called === 'string') return called
  const json = JSON.stringify(value)
  return json.length <= LONGEST ? json : `${json.slice(0, LONGEST - 1)}…`
}
