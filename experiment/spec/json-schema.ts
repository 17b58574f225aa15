import { z } from 'zod'
import { isFilledIn } from './option-list.ts'
import type { PluginKind, Plugins } from './plugin.ts'
import { configSchemaWith } from './spec.ts'

/**
 * The JSON Schema of configs, from which editors complete and check them. It lacks what Zeroshift
 * fills in when it reads files. It has the options of the given plug-ins. Without one of a kind, it
 * accepts every place of this kind that names a plug-in by a path or by a package with a scope,
 * whatever options it has.
 */
export function configJsonSchema(plugins: Plugins): object {
  const schema = z.toJSONSchema(configSchemaWith(plugins), {
    target: 'draft-7',
    io: 'input',
    override: ({ jsonSchema, path }) => {
      const place = places.find(({ kind, at }) => !plugins[kind] && at.test(path.join('/')))
      place?.accept(jsonSchema)
    },
  })
  return { title: 'Zeroshift experiment', ...(withoutFilledIn(schema) as object) }
}

/** Returns a JSON Schema without the properties that are not for users, at any depth. */
function withoutFilledIn(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutFilledIn)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(
    Object.entries(schema).flatMap(([key, value]: [string, unknown]) =>
      isFilledIn(value) ? [] : [[key, withoutFilledIn(value)]],
    ),
  )
}

type JsonSchema = z.core.JSONSchema.BaseSchema

/**
 * The places in the schema that may name plug-ins. The list `attack.scores` is not among them,
 * because it names nothing else.
 */
const places: readonly {
  readonly kind: PluginKind
  readonly at: RegExp
  readonly accept: (schema: JsonSchema) => void
}[] = [
  {
    kind: 'method',
    at: /^properties\/methods\/items$/,
    accept: (schema) => schema.oneOf?.push(named('method', 'a method of your own')),
  },
  {
    kind: 'reader',
    at: /^properties\/data$/,
    accept: (schema) => schema.oneOf?.push(named('name', 'data that a module of yours reads')),
  },
  {
    kind: 'model',
    at: /^properties\/model$/,
    accept: (schema) => schema.oneOf?.push(named('name', 'a model of your own')),
  },
  {
    kind: 'target',
    at: /^properties\/methods\/items\/oneOf\/\d+\/properties\/target$/,
    accept(schema) {
      const { type = 'string', enum: names } = schema
      if (!names) return
      delete schema.type
      delete schema.enum
      schema.anyOf = [
        { ...(type && { type }), enum: names },
        modulePath,
        named('name', 'a shift target of your own'),
      ]
    },
  },
]

const modulePath = { type: 'string' as const, pattern: '^(\\.{1,2}/|/|@)' }

/** A mapping whose key names a module. */
function named(key: string, about: string): JsonSchema {
  return {
    type: 'object',
    properties: { [key]: modulePath },
    required: [key],
    description: `${about}: the path of its module, relative to the config, or a package; ./zeroshift schema --with MODULE knows its options`,
  }
}
