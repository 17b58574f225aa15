import { mapConcurrently } from '../../common/concurrency.ts'
import { configJsonSchema } from '../../experiment/spec/json-schema.ts'
import { printJson } from '../output/print.ts'
import { loadNamed, pluginsOf } from '../plugins/load.ts'

interface SchemaOptions {
  readonly with?: readonly string[]
}

/** `zeroshift schema`: prints the JSON Schema of configs with the options of some plug-ins. */
export async function schema({ with: names = [] }: SchemaOptions): Promise<number> {
  const loaded = await mapConcurrently(names, async (name) => {
    const plugin = await loadNamed(name)
    return { kind: plugin.kind, name, plugin }
  })
  printJson(configJsonSchema(pluginsOf(loaded)))
  return 0
}
