import { writeFile } from 'node:fs/promises'
import { format, resolveConfig } from 'prettier'
import { z } from 'zod'
import { configJsonSchema } from '../experiment/spec/json-schema.ts'
import { noPlugins } from '../experiment/spec/plugin.ts'
import { sweepSchema } from '../experiment/sweep/space.ts'

/**
 * Writes the JSON Schemas from which editors complete and check configs:
 *
 *     npx tsx configs/make-schema.ts
 *
 * A config names its own in its first line: # yaml-language-server: $schema=../schema.json
 */
export const schemas: Readonly<Record<string, object>> = {
  [`${import.meta.dirname}/schema.json`]: configJsonSchema(noPlugins),
  [`${import.meta.dirname}/sweep-schema.json`]: {
    title: 'Zeroshift sweep',
    ...z.toJSONSchema(sweepSchema, { target: 'draft-7', io: 'input' }),
  },
}

export async function schemaText(file: string): Promise<string> {
  const schema = schemas[file]
  if (!schema) throw new RangeError(`${file} is no schema of ours`)
  return format(JSON.stringify(schema), { ...(await resolveConfig(file)), parser: 'json' })
}

if (process.argv[1] === import.meta.filename)
  for (const file of Object.keys(schemas)) await writeFile(file, await schemaText(file))
