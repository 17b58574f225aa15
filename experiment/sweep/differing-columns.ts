import { canonicalJson } from '../../common/canonical.ts'
import { columnNames } from './column-names.ts'
import type { ComparedColumn, ShownValue } from './comparison.ts'
import { formatPath, type Path } from '../../common/path.ts'
import { shownValue } from './shown-value.ts'

/** The properties in which specs differ, with the values of each spec. */
export interface Differing {
  readonly columns: readonly ComparedColumn[]
  /** For each spec, one value for each column. */
  readonly values: readonly (readonly ShownValue[])[]
}

/**
 * The smallest parts in which specs differ. Names of experiments are left out, since they change no
 * result.
 */
export function differingColumns(specs: readonly unknown[]): Differing {
  const found = differing(specs, []).filter(({ path }) => formatPath(path) !== 'name')
  const paths = found.map(({ path }) => formatPath(path))
  return {
    columns: columnNames(paths).map((name, i) => ({ name, path: paths[i] ?? name })),
    values: specs.map((_, i) => found.map(({ values }) => shownValue(values[i]))),
  }
}

interface Part {
  readonly path: Path
  readonly values: readonly unknown[]
}

/**
 * The parts in which values differ. If some values lack a part, it counts as different, as do its
 * own parts if the values that have it differ in them.
 */
function differing(values: readonly unknown[], path: Path): readonly Part[] {
  const present = values.filter((value) => value !== undefined)
  const whole = present.length === values.length
  if (!present.every(isObject) && !present.every(isListOfObjects))
    return whole && new Set(present.map(canonicalJson)).size === 1 ? [] : [{ path, values }]
  const keys = [...new Set(present.flatMap((value) => Object.keys(value)))]
  const inside = keys.flatMap((key) => {
    const step = present.every(Array.isArray) ? Number(key) : key
    const parts = differing(
      present.map((value) => partOf(value, key)),
      [...path, step],
    )
    // Values that lack the whole also lack its parts.
    return parts.map((part) => ({ ...part, values: spread(part.values, values) }))
  })
  return whole ? inside : [{ path, values }, ...inside]
}

function partOf(value: object, key: string): unknown {
  return (value as Readonly<Record<string, unknown>>)[key]
}

/** Inserts undefined into `some` wherever `all` has undefined. */
function spread(some: readonly unknown[], all: readonly unknown[]): readonly unknown[] {
  const left = [...some]
  return all.map((value) => (value === undefined ? undefined : left.shift()))
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Whether a value is a list of objects, such as the methods. A list of plain values counts as one
 * value.
 */
function isListOfObjects(value: unknown): value is readonly object[] {
  return Array.isArray(value) && value.length > 0 && value.every(isObject)
}
