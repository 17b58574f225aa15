import type { ShownValue } from '../../experiment/sweep/comparison.ts'
import { limits } from './limits.ts'
import type { Dimension, Entry, Group } from './overview.ts'

/** Values and rows in words. */

/**
 * `–` where there is none; numbers that were drawn at random are cut to four digits, and options
 * that are one value together stand without the marks of JSON: `samples 12, neighbours 5`.
 */
export function valueText(value: ShownValue): string {
  if (value === null) return '–'
  if (typeof value !== 'number') return isOptions(value) ? optionsText(value) : String(value)
  const whole = String(value)
  return (
    whole.length > 7 && !Number.isInteger(value) ? String(Number(value.toPrecision(4))) : whole
  ).replace(/^-/, '−')
}

/** Whether a value is the JSON of options or of a list, which may be cut off. */
function isOptions(value: ShownValue): value is string {
  return typeof value === 'string' && /^[[{]/.test(value)
}

function optionsText(json: string): string {
  return json
    .replaceAll(/"((?:[^"\\]|\\.)*)":/g, '$1 ')
    .replaceAll(/"((?:[^"\\]|\\.)*)"/g, '$1')
    .replaceAll(/[{}[\]"]/g, '')
    .replaceAll(/,(?! )/g, ', ')
}

/**
 * `rank 8`, `maps (samples 12, neighbours 5)`; a name, such as a method's or a data set's, stands
 * alone.
 */
export function nameAndValue({ name }: Pick<Dimension, 'name'>, value: ShownValue): string {
  return typeof value === 'string' && /(^|\.)(name|kind|method)$/.test(name)
    ? value
    : `${name} ${isOptions(value) ? `(${valueText(value)})` : valueText(value)}`
}

/** `digits, seed 3`: what a group's runs share; undefined where all runs have one gold. */
export function groupText({ values }: Pick<Group, 'values'>): string | undefined {
  if (values.length === 0) return undefined
  return values
    .slice(0, limits.columns)
    .map(({ dimension, value }) => nameAndValue(dimension, value))
    .join(', ')
}

/** An entry by some dimensions, such as `rank 8, target leave-out`, or by its run. */
export function entryText(entry: Entry, dimensions: readonly Dimension[]): string {
  const differing = dimensions.filter(
    ({ index, values }) => values.length > 1 && (entry.values[index] ?? null) !== null,
  )
  if (differing.length === 0 || differing.length > limits.columns)
    return `${entry.row.label} of ${entry.run.id}`
  return differing
    .map((dimension) => nameAndValue(dimension, entry.values[dimension.index] ?? null))
    .join(', ')
}
