import { writeFile } from 'node:fs/promises'
import { format, resolveConfig } from 'prettier'
import { z } from 'zod'
import { configSchema } from '../experiment/spec.ts'

/**
 * The JSON Schema from which editors complete and check configs. To write it anew: npx tsx configs/make-schema.ts
 * A config names it in its first line: # yaml-language-server: $schema=../schema.json
 */
export async function schemaText(): Promise<string> {
  const schema = z.toJSONSchema(configSchema, { target: 'draft-7', io: 'input' })
  const titled = { title: 'Zeroshift experiment', ...schema }
  return format(JSON.stringify(titled), { ...(await resolveConfig(schemaFile)), parser: 'json' })
}

export const schemaFile = `${import.meta.dirname}/schema.json`

if (process.argv[1] === import.meta.filename) await writeFile(schemaFile, await schemaText())
