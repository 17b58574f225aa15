import { join, resolve } from 'node:path'
import { UserError } from '../../common/errors.ts'
import type { DataSpec, Settings } from '../../experiment/spec/spec.ts'
import { isElsewhere } from '../../experiment/spec/places.ts'
import { cacheDirectory } from '../../host/cache.mjs'
import { defaultLocationOf, isDataFile } from '../../datasets/index.ts'
import { isDirectory } from '../../sources/host-cache.ts'
import { fromFiles, localDirectory } from '../../sources/local-directory.ts'

/**
 * The directory of a data set's files on this machine: what the settings name, else $ZEROSHIFT_DATA/<name> where there is
 * one, else the data set's own place. What is elsewhere is downloaded.
 */
export async function findDataDirectory(
  spec: DataSpec,
  { dataDirectory }: Pick<Settings, 'dataDirectory'>,
  notify: (line: string) => void = () => undefined,
): Promise<string> {
  if (dataDirectory !== undefined) return namedDirectory(spec, dataDirectory, notify)
  const { ZEROSHIFT_DATA } = process.env
  if (ZEROSHIFT_DATA) {
    const directory = resolve(join(ZEROSHIFT_DATA, spec.name))
    if (await isDirectory(directory)) return directory
  }
  const home = defaultLocationOf(spec)
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
): Promise<string> {
  try {
    const files = (name: string) => isDataFile(spec, name)
    return (await localDirectory(dataDirectory, { files }, { notify })).directory
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    // What a config says as data.from is among the settings by now (cli/launch/prepare.ts).
    const path = 'from' in spec && spec.from !== undefined ? 'data.from' : 'dataDirectory'
    const expected = isElsewhere(dataDirectory) ? '' : `; expected the one that holds ${spec.name}'s files`
    throw new UserError([{ message: `${path}: ${error.message}${expected}`, path }])
  }
}
