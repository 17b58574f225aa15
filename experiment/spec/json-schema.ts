import { z } from 'zod'
import { isFilledIn } from './option-list.ts'
import type { Plugins } from './plugin.ts'
import { configSchemaWith } from './spec.ts'

/**
 * The JSON Schema of configs, from which editors complete and check them. It lacks what Zeroshift
 * fills in when it reads files. It has the options of the given plug-ins. Without any, it accepts
 * every row that names a plug-in by a path or by a package with a scope, whatever options it has.
 */
export function configJsonSchema(plugins: Plugins): object {
  const schema = z.toJSONSchema(configSchemaWith(plugins), {
    target: 'draft-7',
    io: 'input',
    override: ({ jsonSchema, path }) => {
      if (plugins.size === 0 && path.join('/') === ROWS) jsonSchema.oneOf?.push(anyPlugin)
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

/** The place of the rows in the schema. */
const ROWS = 'properties/methods/items'

const anyPlugin: z.core.JSONSchema.ObjectSchema = {
  type: 'object',
  properties: { method: { type: 'string', pattern: '^(\\.{1,2}/|/|@)' } },
  required: ['method'],
  description:
    'a method of your own: the path of its module, relative to the config, or a package; ./zeroshift schema --with MODULE knows its options',
}
