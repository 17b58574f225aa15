import type { Problem } from '../../common/errors.ts'
import { readYaml } from './config-yaml.ts'
import { withoutCredentials } from '../../common/credentials.ts'
import { suggestion } from '../../common/nearest.ts'
import { formatPath, parsePath, valueAt, type Path } from '../../common/path.ts'

/**
 * An override such as `methods[2].rank=8`, given with `-S`. A row may also be given by its label or
 * its method, such as `methods[rfa].rank=8`; `path` has its position.
 */
export interface Override {
  readonly text: string
  readonly path: Path
  readonly value: unknown
}

/** The text that errors show in place of a file name for an override. */
export function overrideName(text: string): string {
  return `-S ${withoutCredentials(text)}`
}

/** The text of an override for `-S`. The value is JSON, which is also YAML. */
export function overrideText(path: string, value: unknown): string {
  return `${path}=${JSON.stringify(value)}`
}

/**
 * Parses overrides without a config, so that rows have to be given by their positions. Those that
 * cannot be parsed are returned as problems.
 */
export function readOverrides(texts: readonly string[]): {
  readonly overrides: readonly Override[]
  readonly problems: readonly Problem[]
} {
  const overrides: Override[] = []
  const problems: Problem[] = []
  for (const text of texts)
    try {
      if (namedRow.test(text))
        throw new BadOverride('rows of a sweep are given by their positions, such as methods[0].rank=8')
      overrides.push(parseOverride(text))
    } catch (error) {
      if (!(error instanceof BadOverride)) throw error
      problems.push({ file: overrideName(text), message: error.message })
    }
  return { overrides, problems }
}

/** Applies overrides in order. Those that cannot be applied are returned as problems. */
export function applyOverrides(
  root: unknown,
  texts: readonly string[],
): {
  readonly value: unknown
  readonly overrides: readonly Override[]
  readonly problems: readonly Problem[]
} {
  const overrides: Override[] = []
  const problems: Problem[] = []
  let value = root
  for (const text of texts) {
    try {
      const override = { ...parseOverride(withPosition(text, value)), text }
      value = replaced(value, override.path, override.value)
      overrides.push(override)
    } catch (error) {
      if (!(error instanceof BadOverride)) throw error
      problems.push({ file: overrideName(text), message: error.message })
    }
  }
  return { value, overrides, problems }
}

/**
 * The greatest length of a path: the greatest depth of a config (config-yaml.ts). Functions on
 * paths recurse.
 */
const MOST_PARTS = 200

class BadOverride extends Error {}

/** An override of a row that is given by a name. A name is not a whole number. */
const namedRow = /^\s*methods\[(?!\d+\])([^\][]+)\]/

/** Returns the override with the position of the row whose name it has. */
function withPosition(text: string, root: unknown): string {
  const [whole, name] = namedRow.exec(text) ?? []
  if (whole === undefined || name === undefined) return text
  return `methods[${positionOf(name, root)}]${text.slice(whole.length)}`
}

/** Returns the position of the row with this label, or else of the only row with this method. */
function positionOf(name: string, root: unknown): number {
  const rows = valueAt(root, ['methods'])
  if (!Array.isArray(rows)) throw new BadOverride(`methods is not a list, so it has no entry "${name}"`)
  const positionsBy = (key: 'label' | 'method') =>
    rows.flatMap((_, i) => (valueAt(rows, [i, key]) === name ? [i] : []))
  const labelled = positionsBy('label')
  const found = labelled.length > 0 ? labelled : positionsBy('method')
  const [first] = found
  if (first === undefined)
    throw new BadOverride(`methods has no row "${name}"${suggestion(name, namesOf(rows), 'its rows')}`)
  if (found.length > 1)
    throw new BadOverride(
      `"${name}" stands for ${found.map((i) => `methods[${i}]`).join(', ')}; give the position of one, or its label`,
    )
  return first
}

/** The labels and the methods of rows, each once. */
function namesOf(rows: readonly unknown[]): readonly string[] {
  const names = rows.flatMap((_, i) => [valueAt(rows, [i, 'label']), valueAt(rows, [i, 'method'])])
  return [...new Set(names.filter((name) => typeof name === 'string'))]
}

function parseOverride(text: string): Override {
  const equals = text.indexOf('=')
  if (equals < 1) throw new BadOverride('expected path=value, such as methods[0].rank=8')
  const path = parsePath(text.slice(0, equals).trim())
  if (!path)
    throw new BadOverride(
      `"${text.slice(0, equals)}" is not a path; write keys with dots and list entries with [n], such as methods[0].rank`,
    )
  if (path.length > MOST_PARTS)
    throw new BadOverride(`the path has ${path.length} parts, and ${MOST_PARTS} is the most`)
  const { value, problems } = readYaml(text.slice(equals + 1), '')
  if (problems.length > 0) throw new BadOverride(`the value is ${problems[0]?.message ?? 'not valid'}`)
  return { text, path, value }
}

/**
 * A copy of `parent` with the value at `path` replaced. Missing mappings on the way are created.
 */
function replaced(parent: unknown, path: Path, value: unknown, done = 0): unknown {
  const part = path[done]
  if (part === undefined) return value
  const where = formatPath(path.slice(0, done)) || 'the config'
  if (typeof part === 'number') {
    if (!Array.isArray(parent)) throw new BadOverride(`${where} is not a list, so it has no entry [${part}]`)
    if (part >= parent.length)
      throw new BadOverride(
        `${where} has ${parent.length} ${parent.length === 1 ? 'entry' : 'entries'}, counted from [0]; there is no [${part}]`,
      )
    return parent.with(part, replaced(parent[part], path, value, done + 1))
  }
  const mapping = parent ?? {}
  if (typeof mapping !== 'object' || Array.isArray(mapping))
    throw new BadOverride(
      Array.isArray(mapping)
        ? `${where} is a list; name one of its entries, such as ${where}[0].${part}`
        : `${where} is not a mapping, so it has no key "${part}"`,
    )
  const child = Object.hasOwn(mapping, part)
    ? (mapping as Readonly<Record<string, unknown>>)[part]
    : undefined
  return { ...mapping, [part]: replaced(child, path, value, done + 1) }
}
