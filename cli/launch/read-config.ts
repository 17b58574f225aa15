import { UserError } from '../../common/errors.ts'
import { readRegularFile, whyUnreadable } from '../../common/regular-file.ts'
import { parseConfig, type ParsedConfig } from '../../experiment/spec/config.ts'
import { createPluginLoader, type PluginLoader } from '../plugins/load.ts'

/** The arguments of a command that name an experiment. */
export interface ConfigSource {
  readonly config: string
  readonly overrides: readonly string[]
  readonly store?: string | undefined
}

/**
 * Reads and checks the config without reading any data. The plug-ins that it names are bundled and
 * executed to learn their options. Throws a UserError.
 */
export async function readConfig({ config, overrides }: ConfigSource): Promise<ParsedConfig> {
  const text = await configText(config, "an experiment's")
  return parsedWithPlugins({ file: config, text, overrides }, createPluginLoader())
}

/** Parses the text of a config with the plug-ins that it names. Throws a UserError. */
export async function parsedWithPlugins(
  source: { readonly file: string; readonly text: string; readonly overrides: readonly string[] },
  load: PluginLoader,
): Promise<ParsedConfig> {
  return parseConfig({ ...source, plugins: await load(source) })
}

/** Four bytes for each of the characters that the parser accepts. */
const MOST_CONFIG_BYTES = 2 ** 22

/**
 * Returns the text of a config. `whose` says for the error if it is an experiment's or a sweep's.
 * Throws a UserError.
 */
export async function configText(config: string, whose: string): Promise<string> {
  try {
    const bytes = await readRegularFile(config, { mostBytes: MOST_CONFIG_BYTES })
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    const reason = error instanceof TypeError ? 'this is no UTF-8 text' : whyUnreadable(error)
    if (reason === undefined) throw error
    throw new UserError([{ file: config, message: `${reason}; expected ${whose} YAML config` }])
  }
}
