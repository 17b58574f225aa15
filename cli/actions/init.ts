import { writeFile } from 'node:fs/promises'
import { isAbsolute, relative, resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { UserError } from '../../common/errors.ts'
import { unwritable } from '../../common/unwritable.ts'
import { parseConfig } from '../../experiment/spec/config.ts'
import { quoted } from '../../report/command.ts'
import { wholeNumber } from '../options/whole-number.ts'
import { print } from '../output/print.ts'
import { configTemplate, templateData, templateSplits } from '../workspace/config-template.ts'

interface InitOptions {
  readonly data: string
  readonly split: string
  readonly seeds?: string
}

const schema = fileURLToPath(new URL('../../configs/schema.json', import.meta.url))

/**
 * `zeroshift init`: writes NAME.yaml into the working directory, and prints the command that runs
 * it. A file that exists is never overwritten.
 */
export async function init(name = 'experiment', { data, split, seeds }: InitOptions): Promise<number> {
  const text = configTemplate({
    name,
    data: oneOf('--data', data, templateData),
    split: oneOf('--split', split, templateSplits),
    seeds: seeds === undefined ? 1 : wholeNumber('--seeds', seeds),
    schema: schemaFrom(process.cwd()),
  })
  const file = `${name}.yaml`
  // Refuses a name that a config or a file may not have, before anything is written.
  parseConfig({ file, text, overrides: [] })
  try {
    await writeFile(file, text, { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new UserError(
        `${file} is there already, and nothing is overwritten; give another name: zeroshift init NAME`,
      )
    throw new UserError(`${file} cannot be written: ${unwritable(error)}`)
  }
  print(`${file} is written. Its comments describe what you may change. To run it:`)
  print('')
  print(`    zeroshift run ${quoted(file)}`)
  return 0
}

function oneOf<Name extends string>(option: string, found: string, known: readonly Name[]): Name {
  const name = known.find((one) => one === found)
  if (name === undefined)
    throw new UserError(`${option}: found '${found}'; expected one of ${known.join(', ')}`)
  return name
}

/** Returns the place of the JSON Schema of configs, relative if it is inside the directory. */
function schemaFrom(directory: string): string {
  const path = relative(resolve(directory), schema)
  return path.startsWith('..') || isAbsolute(path) ? pathToFileURL(schema).href : path.split(sep).join('/')
}
