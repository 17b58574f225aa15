import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { checkSpec } from '../experiment/check.ts'
import { located, parseConfig, type ParsedConfig } from '../experiment/config.ts'
import { UserError } from '../experiment/errors.ts'
import { plan } from '../experiment/plan.ts'
import { runId, type RunInput } from '../experiment/run.ts'
import { absoluteFrom, storeFor, trackingHere } from './place.ts'

export interface Asked {
  readonly config: string
  readonly overrides: readonly string[]
  readonly store?: string | undefined
}

/** Reads and checks the config alone. Throws a UserError. */
export async function readConfig({ config, overrides }: Asked): Promise<ParsedConfig> {
  let text: string
  try {
    text = await readFile(config, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'this is a directory' : message
    throw new UserError([{ file: config, message: `${why}; expected an experiment's YAML config` }])
  }
  return parseConfig({ file: config, text, overrides })
}

/** The settings with every place made absolute, and the store and a running stack's tracking server filled in. */
export function settingsOf(
  { config, overrides, store }: Asked,
  { settings }: ParsedConfig,
): RunInput['settings'] {
  const place = (key: 'store' | 'dataDirectory') => {
    const path = settings[key]
    const onCommandLine = overrides.some((text) => text.startsWith(`${key}=`))
    return path === undefined || onCommandLine ? path : absoluteFrom(config, path)
  }
  const dataDirectory = place('dataDirectory')
  const tracking = settings.tracking ?? trackingHere()
  return {
    ...settings,
    ...(tracking && { tracking }),
    store: storeFor(store, place('store')),
    ...(dataDirectory !== undefined && { dataDirectory: resolve(dataDirectory) }),
  }
}

/** Reads the data and checks what the config asks of it; what comes out is ready to run. Throws a UserError. */
export async function prepare(
  asked: Asked,
  parsed: ParsedConfig,
  notify?: (line: string) => void,
): Promise<RunInput> {
  const { spec, locate } = parsed
  const { config, overrides } = asked
  const settings = settingsOf(asked, parsed)
  try {
    const { findDataDirectory, inspectDataset } = await import('../learning/datasets/index.ts')
    const directory = await findDataDirectory(spec.data, settings, notify)
    const facts = await inspectDataset(spec.data, directory)
    checkSpec(spec, facts, locate)
    const planned = plan(spec, facts)
    return {
      run: { id: runId(spec.name, planned), spec, facts, plan: planned, command: { config, overrides } },
      settings,
    }
  } catch (error) {
    throw error instanceof UserError ? located(error, locate) : error
  }
}
