import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { cacheDirectory } from '../host/cache.mjs'
import { exclusively } from '../host/lock.mjs'
import { SetupError } from './steps.mjs'

/**
 * Builds a directory of the cache once. It is built under another name and renamed into place, so
 * that no process sees a part of it. A second process that needs the same directory waits for the
 * first.
 * @param {string} name path below the cache, such as `tensorflow/2.21.0-cpu`
 * @param {(directory: string) => Promise<unknown>} build fills the directory it is given
 * @returns {Promise<string>} the directory
 */
export async function installOnce(name, build) {
  const target = join(cacheDirectory(), name)
  if (existsSync(target)) return target
  await makeDirectory(dirname(target))
  return exclusively(target, async () => {
    if (existsSync(target)) return target
    await removeLeftovers(target)
    const partial = `${target}.partial-${randomUUID()}`
    await mkdir(partial)
    try {
      await build(partial)
      await rename(partial, target)
    } catch (error) {
      await rm(partial, { recursive: true, force: true })
      if (!existsSync(target)) throw error
    }
    return target
  })
}

/** Lists the directories that interrupted installations of this target left behind. */
async function removeLeftovers(target) {
  for (const entry of await readdir(dirname(target))) {
    if (!entry.startsWith(`${basename(target)}.partial-`)) continue
    await rm(join(dirname(target), entry), { recursive: true, force: true })
  }
}

/**
 * @param {string} directory
 * @returns {Promise<void>}
 */
export async function makeDirectory(directory) {
  try {
    await mkdir(directory, { recursive: true })
  } catch (error) {
    throw new SetupError(
      `cannot make the directory ${directory}: ${error.message}\n` +
        `Tools are kept below ${cacheDirectory()}. Set ZEROSHIFT_CACHE to a directory that you may write to.`,
    )
  }
}
