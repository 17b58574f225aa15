import type { ParsedConfig } from '../../experiment/spec/config.ts'
import type { RunInput } from '../../experiment/records/run.ts'
import type { DataSpec } from '../../experiment/spec/data.ts'
import type { AnyModelSpec } from '../../experiment/spec/model.ts'
import { absolutePath, absoluteFromConfig, storeFor, trackingHere } from '../workspace/workspace.ts'
import { placeOf } from './given-models.ts'
import type { ConfigSource } from './read-config.ts'

/**
 * Returns the settings with absolute paths, the store, and the tracking server of a running stack
 * if the config names none.
 */
export function runSettings(
  { config, overrides, store }: ConfigSource,
  parsed: ParsedConfig,
): RunInput['settings'] {
  const { settings } = parsed
  const pathOf = (key: 'store' | 'dataDirectory' | 'modelDirectory') => {
    const path = settings[key]
    const onCommandLine = overrides.some((text) => text.startsWith(`${key}=`))
    return path === undefined || onCommandLine ? path : absoluteFromConfig(config, path)
  }
  const source = (part: 'data' | 'model') => sourceOf(parsed.spec[part], part, { config, overrides })
  const dataDirectory = pathOf('dataDirectory') ?? source('data')
  const { model, original } = parsed.spec
  // A pre-trained original that is used unchanged also has the architecture of the experiment.
  const ofOriginal =
    model.name === 'pretrained' && original?.from !== undefined
      ? placeOf(original.from, 'original.from', { config, overrides })
      : undefined
  const modelDirectory = pathOf('modelDirectory') ?? source('model') ?? ofOriginal
  const tracking = settings.tracking ?? trackingHere()
  return {
    ...settings,
    ...(tracking && { tracking }),
    store: storeFor(store, pathOf('store')),
    ...(dataDirectory !== undefined && { dataDirectory: absolutePath(dataDirectory) }),
    ...(modelDirectory !== undefined && { modelDirectory: absolutePath(modelDirectory) }),
  }
}

/**
 * Returns the place of the data or of the checkpoint. A directory is relative to the config, or to
 * the working directory if the command line names it.
 */
function sourceOf(
  of: DataSpec | AnyModelSpec,
  part: 'data' | 'model',
  source: Pick<ConfigSource, 'config' | 'overrides'>,
): string | undefined {
  if (!('from' in of) || of.from === undefined) return undefined
  return placeOf(of.from, `${part}.from`, source)
}
