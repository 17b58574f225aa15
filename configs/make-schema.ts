import { writeFile } from 'node:fs/promises'
import { format, resolveConfig } from 'prettier'
import { z } from 'zod'
import { deletionSchema } from '../experiment/records/deletion.ts'
import { configJsonSchema } from '../experiment/spec/json-schema.ts'
import { configSchemaWith } from '../experiment/spec/spec.ts'
import { noPlugins } from '../experiment/spec/plugin.ts'
import { ledgerConfigSchema } from '../experiment/ledger/spec.ts'
import { sweepSchema } from '../experiment/sweep/space.ts'
import { progressLineSchema, taskSchema } from '../programs/contract.ts'

/**
 * Writes the JSON Schemas from which editors complete and check configs, those of the contract with
 * external programs, and that of the record of a deletion request:
 *
 *     npx tsx configs/make-schema.ts
 *
 * A config names its own in its first line: # yaml-language-server: $schema=../schema.json
 */
export const schemas: Readonly<Record<string, object>> = {
  [`${import.meta.dirname}/schema.json`]: configJsonSchema(noPlugins),
  [`${import.meta.dirname}/sweep-schema.json`]: jsonSchema('Zeroshift sweep', sweepSchema),
  [`${import.meta.dirname}/ledger-schema.json`]: ledgerJsonSchema(),
  [`${import.meta.dirname}/program-task.schema.json`]: jsonSchema('Zeroshift task.json', taskSchema),
  [`${import.meta.dirname}/program-progress.schema.json`]: jsonSchema(
    'Zeroshift progress line',
    progressLineSchema,
  ),
  [`${import.meta.dirname}/deletion-record.schema.json`]: jsonSchema(
    'Zeroshift record of a deletion request',
    deletionSchema,
  ),
}

/** The JSON Schema of ledgers. Sections that experiments have, too, refer to their schema. */
function ledgerJsonSchema(): object {
  const { name: _, ...shared } = configSchemaWith(noPlugins).shape
  // Only the shared sections have definitions.
  const {
    properties = {},
    definitions: _definitions,
    ...rest
  } = z.toJSONSchema(ledgerConfigSchema, { target: 'draft-7', io: 'input' })
  const sections = Object.entries(properties).map(([name, section]) => {
    if (name in shared) return [name, { $ref: `schema.json#/properties/${name}` }]
    if (name !== 'ladder') return [name, section]
    return [name, { ...(section as object), items: { $ref: 'schema.json#/properties/methods/items' } }]
  })
  return { title: 'Zeroshift ledger', ...rest, properties: Object.fromEntries(sections) as object }
}

function jsonSchema(title: string, schema: z.ZodType): object {
  return { title, ...z.toJSONSchema(schema, { target: 'draft-7', io: 'input' }) }
}

export async function schemaText(file: string): Promise<string> {
  const schema = schemas[file]
  if (!schema) throw new RangeError(`${file} is no schema of ours`)
  return format(JSON.stringify(schema), { ...(await resolveConfig(file)), parser: 'json' })
}

if (process.argv[1] === import.meta.filename)
  for (const file of Object.keys(schemas)) await writeFile(file, await schemaText(file))
