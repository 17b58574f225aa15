import { join, resolve } from 'node:path'
import { UserError } from '../../common/errors.ts'
import type { DataSpec } from '../../experiment/spec/data.ts'
import { dataName } from '../../experiment/spec/data-name.ts'
import type { Settings } from '../../experiment/spec/settings.ts'
import { isElsewhere } from '../../experiment/spec/places.ts'
import { cacheDirectory } from '../../host/cache.mjs'
import { dataFilesOf, defaultLocationOf, type PluginReader } from '../../datasets/index.ts'
import { isDirectory } from '../../sources/host-cache.ts'
import { fromFiles, localDirectory } from '../../sources/local-directory.ts'

/**
 * Returns the directory with the files of a data set on this machine: the one that the settings
 * name, or $ZEROSHIFT_DATA/<name> if it exists, or the data set's default location. Files that are
 * elsewhere are downloaded.
 */
export async function findDataDirectory(
  spec: DataSpec,
  { dataDirectory }: Pick<Settings, 'dataDirectory'>,
  notify: (line: string) => void = () => undefined,
  plugin?: PluginReader,
): Promise<string> {
  if (dataDirectory !== undefined) return namedDirectory(spec, dataDirectory, notify, plugin)
  const { ZEROSHIFT_DATA } = process.env
  if (ZEROSHIFT_DATA) {
    const directory = resolve(join(ZEROSHIFT_DATA, dataName(spec)))
    if (await isDirectory(directory)) return directory
  }
  const home = await defaultLocationOf(spec)
  if (home.kind === 'shipped') return home.directory
  const byHand = join(cacheDirectory(), 'data', spec.name)
  if (await isDirectory(byHand)) return byHand
  try {
    return (await fromFiles(home.files, { notify })).directory
  } catch (error) {
    const advice =
      `Put ${home.members.join(', ')} into a directory and name it as dataDirectory in the config, ` +
      `or into ${byHand}`
    if (error instanceof UserError) throw new UserError(`${error.message}. ${advice}`)
    throw error instanceof Error ? new Error(`${error.message}. ${advice}`) : error
  }
}

async function namedDirectory(
  spec: DataSpec,
  dataDirectory: string,
  notify: (line: string) => void,
  plugin: PluginReader | undefined,
): Promise<string> {
  try {
    const files = await dataFilesOf(spec, plugin)
    return (await localDirectory(dataDirectory, { files }, { notify })).directory
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    // cli/launch/prepare.ts has copied data.from of the config to this setting.
    const path = 'from' in spec && spec.from !== undefined ? 'data.from' : 'dataDirectory'
    const expected = isElsewhere(dataDirectory)
      ? ''
      : `; expected the one that holds ${dataName(spec)}'s files`
    throw new UserError([{ message: `${path}: ${error.message}${expected}`, path }])
  }
}
