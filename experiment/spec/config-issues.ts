import { z } from 'zod'
import { withoutCredentials } from '../../common/credentials.ts'
import { nearest, suggestion } from '../../common/nearest.ts'
import { formatPath, valueAt, type Path } from '../../common/path.ts'

/** A problem of a config's data, as a message for people. */
export interface Finding {
  readonly message: string
  readonly path: Path
  /** Whether the key itself is wrong or its value. */
  readonly at: 'key' | 'value'
}

type Issue = z.core.$ZodIssue

/** Every difference of `value` from the schema. */
export function findingsOf(schema: z.ZodType, value: unknown): readonly Finding[] {
  const known = schemaFindings(schema, value)
  const told = new Set(known.map(({ path }) => formatPath(path)))
  const all = [...known, ...unsafeKeys(value).filter(({ path }) => !told.has(formatPath(path)))]
  if (all.length <= MOST_FINDINGS) return all
  const rest = all.length - MOST_FINDINGS
  return [
    ...all.slice(0, MOST_FINDINGS),
    { message: `${rest} more problems are not listed; is this the right file?`, path: [], at: 'value' },
  ]
}

/** The most findings that are listed. A file that is no config may have a hundred thousand. */
const MOST_FINDINGS = 50

/** Finds the key `__proto__`, which zod drops silently from mappings with free keys. */
function unsafeKeys(root: unknown): readonly Finding[] {
  const findings: Finding[] = []
  // With aliases a mapping may occur in several places, or inside itself.
  const seen = new Set<object>()
  const walk = (value: unknown, path: Path) => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return
    seen.add(value)
    for (const [key, child] of Object.entries(value)) {
      const at = [...path, Array.isArray(value) ? Number(key) : key]
      if (key === '__proto__')
        findings.push({ message: `unknown key "${key}"; no key may be called that`, path: at, at: 'key' })
      else walk(child, at)
    }
  }
  walk(root, [])
  return findings
}

function schemaFindings(schema: z.ZodType, value: unknown): readonly Finding[] {
  const parsed = schema.safeParse(value, { reportInput: false })
  if (parsed.success) return []
  // zod reports an unsafe integer twice at one path. The last issue, out of range, is the clearer
  // one.
  const last = new Map(
    parsed.error.issues.map((issue) => [`${issue.code} ${formatPath(pathOf(issue))}`, issue]),
  )
  return [...last.values()].flatMap((issue) => explain(issue, schema, value))
}

function explain(issue: Issue, schema: z.ZodType, root: unknown): readonly Finding[] {
  const path = pathOf(issue)
  const value = valueAt(root, path)
  const there = schemaAt(schema, root, path)
  const finding = (message: string, at: Finding['at'] = 'value'): Finding => ({ message, path, at })

  if (issue.code === 'unrecognized_keys') {
    const known = there instanceof z.ZodObject ? Object.keys(there.shape) : []
    return issue.keys.map((key) => ({
      message: `unknown key "${key}"${suggestion(key, known)}`,
      path: [...path, key],
      at: 'key',
    }))
  }

  if (issue.code === 'invalid_key') {
    const wanted = issue.issues.map(({ message }) => message).join(', ')
    return [
      finding(
        `"${String(path.at(-1))}" is no key of ${formatPath(path.slice(0, -1))}; expected ${wanted}`,
        'key',
      ),
    ]
  }

  const inner = onlyAlternative(issue, value)
  if (inner) return inner.flatMap((one) => explain({ ...one, path: [...path, ...one.path] }, schema, root))

  const name = formatPath(path) || 'the config'
  if (value === undefined) {
    const parent = valueAt(root, path.slice(0, -1))
    const wanted = String(path.at(-1))
    const misspelt = isDiscriminator(issue) ? nearest(wanted, Object.keys(parent as object)) : undefined
    if (misspelt !== undefined)
      return [
        {
          message: `unknown key "${misspelt}"; did you mean "${wanted}"?`,
          path: [...path.slice(0, -1), misspelt],
          at: 'key',
        },
      ]
    return [finding(`${name} is missing: expected ${expected(issue, there)}`)]
  }
  const options = optionsOf(issue)
  if (options && typeof value === 'string')
    return [finding(`unknown ${nounOf(path)} "${value}"${suggestion(value, options)}`)]
  return [finding(`${name}: expected ${expected(issue, there)}, found ${found(value, issue)}`)]
}

/**
 * The issues of the one alternative of a union that is of the value's type. They say more than that
 * no alternative fits. Undefined if there is no such alternative, or more than one.
 */
function onlyAlternative(issue: Issue, value: unknown): readonly Issue[] | undefined {
  if (issue.code !== 'invalid_union' || isDiscriminator(issue) || typeof value !== 'object' || value === null)
    return undefined
  const alike = issue.errors.filter((issues) => issues.every((one) => one.path.length > 0 || isOfKeys(one)))
  return alike.length === 1 ? alike[0] : undefined
}

/** Whether an issue at the value itself is about its keys, and not about its type. */
function isOfKeys({ code }: Issue): boolean {
  return code === 'unrecognized_keys' || code === 'invalid_key'
}

/** The path of an issue. Paths of zod may contain symbols, paths of JSON do not. */
function pathOf({ path }: Issue): Path {
  return path.map((part) => (typeof part === 'symbol' ? String(part) : part))
}

function isDiscriminator(issue: Issue): boolean {
  return issue.code === 'invalid_union' && issue.discriminator !== undefined
}

function optionsOf(issue: Issue): readonly string[] | undefined {
  if (issue.code === 'invalid_value') return issue.values.map(String)
  if (issue.code === 'invalid_union' && 'options' in issue && issue.options) return issue.options.map(String)
  return undefined
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'a mapping (key: value)',
  record: 'a mapping (key: value)',
  null: 'nothing',
}

function expected(issue: Issue, schema: z.core.$ZodType | undefined): string {
  switch (issue.code) {
    case 'invalid_type':
      // For text in place of a whole number, zod's issue only names a number.
      return schema instanceof z.ZodNumber && schema.isInt
        ? 'a whole number'
        : (typeNames[issue.expected] ?? issue.expected)
    case 'too_small':
      return bound(issue.origin, issue.inclusive === false ? 'above' : 'at least', issue.minimum)
    case 'too_big':
      return bound(issue.origin, issue.inclusive === false ? 'below' : 'at most', issue.maximum)
    case 'invalid_format':
      return issue.format === 'url' ? 'an http:// or https:// URL' : issue.message
    case 'invalid_union':
      return optionsOf(issue)
        ? oneOf(optionsOf(issue) ?? [])
        : alternatives(issue.errors, schema).join(' or ')
    case 'invalid_value':
      return oneOf(issue.values.map(String))
    default:
      return issue.message
  }
}

function alternatives(
  errors: readonly (readonly Issue[])[],
  schema: z.core.$ZodType | undefined,
): readonly string[] {
  const all = errors.flatMap(([first], i) =>
    first ? [expected(first, schema instanceof z.ZodUnion ? schema.options[i] : undefined)] : [],
  )
  return [...new Set(all)]
}

function oneOf(options: readonly string[]): string {
  return options.length === 1 ? `"${options.join()}"` : `one of ${options.join(', ')}`
}

function bound(origin: string, relation: string, limit: number | bigint): string {
  if (origin === 'array') return `a list of ${relation} ${limit} ${limit === 1 ? 'entry' : 'entries'}`
  if (origin === 'string')
    return limit === 1 ? 'text that is not empty' : `text of ${relation} ${limit} characters`
  return `a number ${relation} ${limit}`
}

function found(value: unknown, issue: Issue): string {
  if (value === null) return 'nothing'
  if (Array.isArray(value))
    return issue.code === 'too_small' || issue.code === 'too_big' ? String(value.length) : 'a list'
  switch (typeof value) {
    case 'string':
      return `text ${JSON.stringify(shortened(withoutCredentials(value)))}`
    case 'number':
    case 'boolean':
      return String(value)
    default:
      return 'a mapping'
  }
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/** The noun for the value at a path: the `name` of `model` is a model. */
function nounOf(path: Path): string {
  const [parent, last] = path.filter((part) => typeof part === 'string').slice(-2)
  if (parent === undefined || last === undefined) return String(last ?? parent)
  if (last !== 'name' && last !== 'kind') return last
  return parent === 'data' ? 'data set' : parent
}

/** The schema at a path. Unions are resolved to the variants that the data selects. */
function schemaAt(root: z.core.$ZodType, data: unknown, path: Path): z.core.$ZodType | undefined {
  let schema = variant(root, data)
  for (const [i, part] of path.entries()) {
    const child =
      schema instanceof z.ZodObject
        ? (schema.shape as z.core.$ZodShape)[part]
        : schema instanceof z.ZodArray
          ? schema.element
          : undefined
    if (!child) return undefined
    schema = variant(child, valueAt(data, path.slice(0, i + 1)))
  }
  return schema
}

function variant(schema: z.core.$ZodType, value: unknown): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return variant(schema.unwrap(), value)
  if (schema instanceof z.ZodUnion && !(schema instanceof z.ZodDiscriminatedUnion)) {
    const only = onlyObject(schema.options, value)
    return only ? variant(only, value) : schema
  }
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return schema
  const { discriminator, options } = schema.def
  const chosen = options.find(
    (option) =>
      option instanceof z.ZodObject &&
      z.safeParse(option.shape[discriminator], valueAt(value, [discriminator])).success,
  )
  return chosen ?? schema
}

/** The only alternative for a mapping, if the value is one. */
function onlyObject(options: readonly z.core.$ZodType[], value: unknown): z.core.$ZodType | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const objects = options.filter(
    (option) => option instanceof z.ZodObject || option instanceof z.ZodDiscriminatedUnion,
  )
  return objects.length === 1 ? objects[0] : undefined
}
