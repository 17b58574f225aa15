import { z } from 'zod'
import { flow } from './flow.ts'

/** The parts of JSON Schema that zod writes for configs. */
export interface JsonSchema {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly format?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly multipleOf?: number
  readonly items?: JsonSchema | readonly JsonSchema[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly additionalProperties?: JsonSchema | boolean
  readonly required?: readonly string[]
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
}

/** A schema that has a section of its own in the docs, to which options of its type link. */
export interface NamedSchema {
  readonly label: string
  readonly link: string
  readonly schema: JsonSchema
}

/** The JSON Schema of what a user writes, with defaults. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { target: 'draft-7', io: 'input' }) as JsonSchema
}

/** One option of a config. */
interface Field {
  readonly path: string
  readonly schema: JsonSchema
  readonly isRequired: boolean
  /** The variant to which the option belongs, such as `what: lora`. */
  readonly variant?: string | undefined
}

/** How types and defaults are written, such as in Markdown or for a terminal. */
export interface Notation {
  /** A value of a config. */
  readonly code: (text: string) => string
  /** A type that has a section of its own. */
  readonly named: (schema: NamedSchema) => string
  /** The types of a list of fixed length. */
  readonly tuple: (types: readonly string[]) => string
  /** The default of an option that must be given. */
  readonly required: string
}

/** One option of a config in words. */
export interface DescribedOption {
  /** The name. Nested options have dotted names. */
  readonly path: string
  readonly type: string
  /** The default in words. Empty if the option has none. */
  readonly default: string
  /** The default as a value. Absent if the option has none. */
  readonly value?: unknown
  readonly isRequired: boolean
  readonly meaning: string
  /** The variant to which the option belongs, such as `what: lora`. */
  readonly variant?: string | undefined
}

/** Describes the options of an object. */
export function describedOptions(
  schema: JsonSchema,
  named: readonly NamedSchema[],
  notation: Notation,
  prefix = '',
): readonly DescribedOption[] {
  return fieldsOf(schema, named, prefix).map(({ path, schema: field, isRequired, variant }) => ({
    path,
    type: typeOf(field, named, notation),
    default: defaultOf(field, isRequired, notation),
    ...(field.default !== undefined && { value: field.default }),
    isRequired,
    meaning: field.description ?? '',
    variant,
  }))
}

function fieldsOf(schema: JsonSchema, named: readonly NamedSchema[], prefix: string): readonly Field[] {
  const required = new Set(schema.required)
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]): readonly Field[] => {
    if (isFilledIn(field)) return []
    const path = `${prefix}${name}`
    const own = { path, schema: field, isRequired: required.has(name) }
    if (nameOf(field, named)) return [own]
    if (field.properties) return [own, ...fieldsOf(field, named, `${path}.`)]
    const { items } = field
    if (items && !isTuple(items) && items.properties && !nameOf(items, named))
      return [own, ...fieldsOf(items, named, `${path}[].`)]
    const objects = variantsOf(field).filter(({ properties }) => properties)
    if (objects.length === 1 && objects[0] && !nameOf(objects[0], named))
      return [own, ...fieldsOf(objects[0], named, `${path}.`)]
    const discriminator = discriminatorOf(field)
    if (discriminator === undefined) return [own]
    const variants = variantsOf(field).flatMap((variant): readonly Field[] => {
      const chosen = `${discriminator}: ${flow(variant.properties?.[discriminator]?.const)}`
      const heading = { ...variant.properties?.[discriminator], description: variant.description ?? '' }
      return [
        { path: `${path}.${discriminator}`, schema: heading, isRequired: true },
        ...fieldsOf(variant, named, `${path}.`)
          .filter((one) => one.path !== `${path}.${discriminator}`)
          .map((one) => ({ ...one, variant: chosen })),
      ]
    })
    return [own, ...variants]
  })
}

/**
 * Whether the schema of an option says that the option is not for users, because Zeroshift fills it
 * in when it reads files.
 */
export function isFilledIn(schema: unknown): boolean {
  return (
    typeof schema === 'object' &&
    schema !== null &&
    'description' in schema &&
    /; filled in when (they are|the file is) read$/.test(String(schema.description))
  )
}

const variantsOf = ({ anyOf, oneOf }: JsonSchema): readonly JsonSchema[] => anyOf ?? oneOf ?? []

/** The property whose constant value tells the variants of a union of objects apart. */
function discriminatorOf(schema: JsonSchema): string | undefined {
  const variants = variantsOf(schema)
  if (variants.length < 2) return undefined
  const [first] = variants
  return Object.keys(first?.properties ?? {}).find((name) =>
    variants.every(({ properties }) => properties?.[name]?.const !== undefined),
  )
}

/** The type of an option in words. */
function typeOf(schema: JsonSchema, named: readonly NamedSchema[], notation: Notation): string {
  const { code } = notation
  const name = nameOf(schema, named)
  if (name) return notation.named(name)
  if (schema.const !== undefined) return code(flow(schema.const))
  if (schema.enum) return schema.enum.map((value) => code(flow(value))).join(', ')
  if (discriminatorOf(schema) !== undefined) return 'object'
  const variants = variantsOf(schema)
  if (variants.length > 0) return variants.map((one) => typeOf(one, named, notation)).join(' or ')
  switch (schema.type) {
    case 'array': {
      const { items } = schema
      if (items === undefined) return 'list'
      return isTuple(items)
        ? notation.tuple(items.map((item) => typeOf(item, named, notation)))
        : `list of ${typeOf(items, named, notation).replace(/number/g, 'numbers')}`
    }
    case 'object':
      return typeof schema.additionalProperties === 'object'
        ? `map of names to ${typeOf(schema.additionalProperties, named, notation)}`
        : 'object'
    case 'integer':
    case 'number':
      return [schema.type === 'integer' ? 'whole number' : 'number', boundsOf(schema)]
        .filter(Boolean)
        .join(' ')
    case 'string':
      return schema.format === 'uri' ? 'URL' : 'text'
    case 'boolean':
      return `${code('true')} or ${code('false')}`
    default:
      return 'any value'
  }
}

const isTuple = (items: JsonSchema | readonly JsonSchema[]): items is readonly JsonSchema[] =>
  Array.isArray(items)

function boundsOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: JsonSchema): string {
  const safe = (bound: number | undefined) =>
    bound === undefined || Math.abs(bound) === Number.MAX_SAFE_INTEGER ? undefined : bound
  const [low, high] = [safe(minimum), safe(maximum)]
  const range =
    low !== undefined && high !== undefined
      ? [`${low} to ${high}`]
      : [...words('at least', low), ...words('at most', high)]
  const parts = [
    ...range,
    ...words('above', exclusiveMinimum),
    ...words('below', exclusiveMaximum),
    ...words('a multiple of', multipleOf),
  ]
  return parts.length === 0 ? '' : `(${parts.join(', ')})`
}

function words(text: string, value: number | undefined): readonly string[] {
  return value === undefined ? [] : [`${text} ${value}`]
}

function defaultOf(
  { default: value }: JsonSchema,
  isRequired: boolean,
  { code, required }: Notation,
): string {
  if (value !== undefined && flow(value) !== '{}') return code(flow(value))
  return isRequired ? required : ''
}

function nameOf(schema: JsonSchema, named: readonly NamedSchema[]): NamedSchema | undefined {
  const shape = JSON.stringify({ ...schema, default: undefined, description: undefined })
  return named.find((one) => {
    const known = JSON.stringify({
      ...one.schema,
      $schema: undefined,
      default: undefined,
      description: undefined,
    })
    return known === shape
  })
}
