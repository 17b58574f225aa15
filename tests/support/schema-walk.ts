import { inspect } from 'node:util'
import { z } from 'zod'
import { formatPath, type Path } from '../../common/path.ts'

/** A place of a config's schema. */
export interface Site {
  /** Its path, with the variants of unions on the way, such as `data(npz).file`. */
  readonly title: string
  readonly path: Path
  readonly schema: z.core.$ZodType
  /** A config in which the place is there, and which is right as far as the schema says. */
  readonly config: unknown
}

/**
 * All places of a schema, one for each schema object, including all variants of unions and optional
 * keys.
 */
export function sitesOf(root: z.core.$ZodType, config: unknown): readonly Site[] {
  const seen = new Set<z.core.$ZodType>()
  const walk = (title: string, given: z.core.$ZodType, path: Path, config: unknown): readonly Site[] => {
    const schema = unwrapped(given)
    if (seen.has(schema)) return []
    seen.add(schema)
    const below = (more: string, child: z.core.$ZodType, ...parts: Path) =>
      walk(
        `${title}${more}`,
        child,
        [...path, ...parts],
        placed(config, [...path, ...parts], exampleOf(child)),
      )
    const site = { title, path, schema, config }
    if (schema instanceof z.ZodDiscriminatedUnion)
      return [site, ...schema.options.flatMap((option) => below(`(${variantOf(schema, option)})`, option))]
    if (schema instanceof z.ZodObject)
      return [site, ...shapeOf(schema).flatMap(([key, child]) => below(`.${key}`, child, key))]
    if (schema instanceof z.ZodArray) return [site, ...below('[0]', schema.element, 0)]
    return [site]
  }
  return walk('config', root, [], config)
}

function variantOf({ def: { discriminator } }: z.ZodDiscriminatedUnion, option: z.core.$ZodType): string {
  const [, literal] = shapeOf(option as z.ZodObject).find(([key]) => key === discriminator) ?? []
  return literal instanceof z.ZodLiteral ? String(literal.value) : '?'
}

/** A config with another value at a path; without it where that is undefined. */
export function placed(config: unknown, [part, ...rest]: Path, value: unknown): unknown {
  if (part === undefined) return value
  if (Array.isArray(config)) return config.with(Number(part), placed(config[Number(part)], rest, value))
  const mapping = { ...(config as Readonly<Record<string, unknown>>) }
  // Not by assignment, which would make a prototype of `__proto__`.
  Object.defineProperty(mapping, part, {
    value: placed(mapping[part], rest, value),
    enumerable: true,
    configurable: true,
  })
  return mapping
}

/** A mistake in a config: a title, the config, and a pattern of the message. */
export interface Mistake {
  readonly title: string
  readonly config: unknown
  readonly says: RegExp
}

export function mistakesAt({ title, path, schema, config }: Site): readonly Mistake[] {
  const says = new RegExp(
    `: (${escaped(formatPath(path) || 'the config')}: expected .+, found .+|unknown .+ ".*")`,
  )
  return [
    ...[...othersThan(schema), ...beyond(schema)].map((value) => ({
      title: `${title} of ${inspect(value, { breakLength: Infinity, maxStringLength: 20 })}`,
      config: placed(config, path, value),
      says,
    })),
    ...(schema instanceof z.ZodObject ? keysOf(schema, title, path, config) : []),
  ]
}

/** Values of another type. */
function othersThan(schema: z.core.$ZodType): readonly unknown[] {
  const isMapping =
    schema instanceof z.ZodObject ||
    schema instanceof z.ZodRecord ||
    schema instanceof z.ZodDiscriminatedUnion
  const isList = schema instanceof z.ZodArray || schema instanceof z.ZodTuple
  const others = ['zzz', -7.5, ...(isMapping ? [[]] : [{}]), ...(isList ? [] : [[null]])]
  return others.filter((value) => !takes(schema, value)).slice(0, 2)
}

function keysOf(schema: z.ZodObject, title: string, path: Path, config: unknown): readonly Mistake[] {
  // A place of a plug-in, whose options the schema does not know.
  const isLoose = schema.def.catchall instanceof z.ZodUnknown
  return [
    ...(isLoose ? ['__proto__'] : ['zzz', 'constructor', '__proto__', 'a b\u202e🐈']).map((key) => ({
      title: `${title} with the key ${JSON.stringify(key)}`,
      config: placed(config, [...path, key], 1),
      says: new RegExp(`: unknown key "${escaped(key.replace('\u202e', '\\u202e'))}"`),
    })),
    ...shapeOf(schema)
      .filter(([, child]) => !takes(child, undefined))
      .map(([key]) => ({
        title: `${title} without ${key}`,
        config: placed(config, [...path, key], undefined),
        says: new RegExp(`: ${escaped(formatPath([...path, key]))} is missing: expected `),
      })),
  ]
}

/** Values of the type just beyond what a schema takes, and far beyond. */
function beyond(schema: z.core.$ZodType): readonly unknown[] {
  const { minValue, maxValue } = schema instanceof z.ZodNumber ? schema : {}
  const candidates: readonly unknown[] =
    schema instanceof z.ZodNumber
      ? [NaN, Infinity, 1e300, -1e300, 0.5, (minValue ?? 0) - 1, minValue, (maxValue ?? 0) + 1, maxValue]
      : schema instanceof z.ZodString
        ? ['', '\0', 'x'.repeat(1000)]
        : [[]]
  return [...new Set(candidates)].filter((value) => !takes(schema, value))
}

function takes(schema: z.core.$ZodType, value: unknown): boolean {
  return z.safeParse(schema, value).success
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return unwrapped(schema.unwrap())
  return schema instanceof z.ZodPipe ? unwrapped(schema.in) : schema
}

/** A value that the schema takes: keys that may be absent are. */
function exampleOf(given: z.core.$ZodType): unknown {
  const schema = unwrapped(given)
  if (schema instanceof z.ZodObject)
    return Object.fromEntries(
      shapeOf(schema)
        .filter(([, child]) => !takes(child, undefined))
        .map(([key, child]) => [key, exampleOf(child)]),
    )
  if (schema instanceof z.ZodArray) return [exampleOf(schema.element)]
  if (schema instanceof z.ZodTuple) return schema.def.items.map(exampleOf)
  if (schema instanceof z.ZodDiscriminatedUnion || schema instanceof z.ZodUnion)
    return exampleOf(schema.options[0] as z.core.$ZodType)
  const scalars = [
    'a',
    './a.ts',
    'http://host',
    '0'.repeat(64),
    `sha256:${'0'.repeat(64)}`,
    1,
    0.5,
    8,
    10,
    true,
    {},
  ]
  const options =
    schema instanceof z.ZodLiteral
      ? [...schema.values]
      : schema instanceof z.ZodEnum
        ? schema.options
        : scalars
  const found = options.find((value) => takes(schema, value))
  if (found === undefined) throw new Error(`no example of ${schema._zod.def.type}`)
  return found
}

function shapeOf({ shape }: z.ZodObject): readonly [string, z.core.$ZodType][] {
  // Options that Zeroshift fills in when it reads files are not for users.
  return Object.entries<z.ZodType>(shape).filter(
    ([, { description = '' }]) => !/; filled in when (they are|the file is) read$/.test(description),
  )
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
