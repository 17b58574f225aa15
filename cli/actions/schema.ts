import { mapConcurrently } from '../../common/concurrency.ts'
import { configJsonSchema } from '../../experiment/spec/json-schema.ts'
import { printJson } from '../output/print.ts'
import { loadNamed } from '../plugins/load.ts'

interface SchemaOptions {
  readonly with?: readonly string[]
}

/** `zeroshift schema`: prints the JSON Schema of configs with the options of some plug-ins. */
export async function schema({ with: names = [] }: SchemaOptions): Promise<number> {
  const plugins = await mapConcurrently(names, async (name) => [name, await loadNamed(name)] as const)
  printJson(configJsonSchema(new Map(plugins)))
  return 0
}
