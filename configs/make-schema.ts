import { writeFile } from 'node:fs/promises'
import { format, resolveConfig } from 'prettier'
import { z } from 'zod'
import { configSchema } from '../experiment/spec/spec.ts'
import { sweepSchema } from '../experiment/sweep/space.ts'
import { progressLineSchema, taskSchema } from '../programs/contract.ts'

/**
 * Writes the JSON Schemas from which editors complete and check configs, and those of the contract
 * with external programs:
 *
 *     npx tsx configs/make-schema.ts
 *
 * A config names its own in its first line: # yaml-language-server: $schema=../schema.json
 */
export const schemas = {
  [`${import.meta.dirname}/schema.json`]: { title: 'Zeroshift experiment', schema: configSchema },
  [`${import.meta.dirname}/sweep-schema.json`]: { title: 'Zeroshift sweep', schema: sweepSchema },
  [`${import.meta.dirname}/program-task.schema.json`]: { title: 'Zeroshift task.json', schema: taskSchema },
  [`${import.meta.dirname}/program-progress.schema.json`]: {
    title: 'Zeroshift progress line',
    schema: progressLineSchema,
  },
}

export async function schemaText(file: string): Promise<string> {
  const known = schemas[file]
  if (!known) throw new RangeError(`${file} is no schema of ours`)
  const schema = z.toJSONSchema(known.schema, { target: 'draft-7', io: 'input' })
  const titled = { title: known.title, ...schema }
  return format(JSON.stringify(titled), { ...(await resolveConfig(file)), parser: 'json' })
}

if (process.argv[1] === import.meta.filename)
  for (const file of Object.keys(schemas)) await writeFile(file, await schemaText(file))
