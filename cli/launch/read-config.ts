import { UserError } from '../../common/errors.ts'
import { readRegularFile, whyUnreadable } from '../../common/regular-file.ts'
import { parseConfig, type ParsedConfig } from '../../experiment/spec/config.ts'
import { readYaml } from '../../experiment/spec/config-yaml.ts'
import { quoted } from '../../report/command.ts'
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
  refuseOtherKind(config, text, 'experiment')
  return parsedWithPlugins({ file: config, text, overrides }, createPluginLoader())
}

/** The kinds of configs, each with what distinguishes it and the command that takes it. */
const kinds = {
  experiment: {
    article: 'an experiment',
    isKind: (has: Has) => has('methods') && !has('base') && !has('ladder'),
    sign: 'it has `methods` and no `base`',
    command: (config: string) => `start it by ./zeroshift run ${config}`,
  },
  sweep: {
    article: 'a sweep',
    isKind: (has: Has) => has('base') && !has('methods'),
    sign: 'it has `base` and no `methods`',
    command: (config: string) => `start it by ./zeroshift sweep ${config}`,
  },
  ledger: {
    article: 'a ledger',
    isKind: (has: Has) => has('ladder') && !has('methods'),
    sign: 'it has `ladder` and no `methods`',
    command: (config: string) => `request a deletion by ./zeroshift forget ${config}`,
  },
} as const
type ConfigKind = keyof typeof kinds
type Has = (key: string) => boolean

/**
 * Refuses a config of another kind than the expected one, which would otherwise have a mistake in
 * every line. Throws a UserError.
 */
export function refuseOtherKind(config: string, text: string, expected: ConfigKind): void {
  const { value } = readYaml(text, config)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return
  const has: Has = (key) => Object.hasOwn(value, key)
  const found = Object.entries(kinds).find(([kind, { isKind }]) => kind !== expected && isKind(has))?.[1]
  if (!found) return
  throw new UserError([
    {
      file: config,
      message: `this is the config of ${found.article} (${found.sign}), expected that of ${kinds[expected].article}; ${found.command(quoted(config))}`,
    },
  ])
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
 * Returns the text of a config. `whose` says for the error if it is an experiment's, a sweep's or a
 * ledger's.
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
