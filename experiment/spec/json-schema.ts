import { z } from 'zod'
import type { Plugins } from './plugin.ts'
import { configSchemaWith } from './spec.ts'

/**
 * The JSON Schema of configs, from which editors complete and check them. It has the options of the
 * given plug-ins. Without one of a kind, it accepts every place of this kind that names a plug-in by
 * a path or by a package with a scope, whatever options it has.
 */
export function configJsonSchema(plugins: Plugins): object {
  const schema = z.toJSONSchema(configSchemaWith(plugins), {
    target: 'draft-7',
    io: 'input',
    override: ({ jsonSchema, path }) => {
      if (!plugins.method && path.join('/') === ROWS) jsonSchema.oneOf?.push(anyPlugin)
    },
  })
  return { title: 'Zeroshift experiment', ...schema }
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
