import type { Problem } from '../../common/errors.ts'
import { readYaml } from './config-yaml.ts'
import { withoutCredentials } from '../../common/credentials.ts'
import { formatPath, parsePath, type Path } from '../../common/path.ts'

/** An override such as `methods[2].rank=8`, given with `-S`. */
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

/** Parses overrides. Those that cannot be parsed are returned as problems. */
export function readOverrides(texts: readonly string[]): {
  readonly overrides: readonly Override[]
  readonly problems: readonly Problem[]
} {
  const overrides: Override[] = []
  const problems: Problem[] = []
  for (const text of texts)
    try {
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
      const override = parseOverride(text)
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
