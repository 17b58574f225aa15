import { createHash, randomUUID } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { isSameProcess, startOf } from '../host/alive.mjs'
import { isInstalled } from './checkout.mjs'

/**
 * Builds in folders that are named by the digest of all sources that they were made from, so that
 * an edited source is always built again.
 */

/** A build that no living process uses is removed after this time. */
const KEEP_MS = 86_400_000

/**
 * Returns the folder of the build of the present sources, and makes the build if there is none.
 * Returns undefined if it cannot be written, such as in a directory that is read-only.
 * @param {object} options
 * @param {string} options.root the checkout
 * @param {string} options.folder the folder of the builds
 * @param {(outdir: string) => Promise<ReadonlyMap<string, string>>} options.make writes the files
 *   and returns the contents of the sources by their paths from the root
 * @returns {Promise<string | undefined>}
 */
export async function cachedBuild({ root, folder, make }) {
  const build = presentBuild(root, folder) ?? (await newBuild(folder, make))
  if (build !== undefined && !isInstalled(root)) noteUser(build)
  return build
}

/**
 * Returns the folder of the build of the present sources, or undefined if there is none.
 * @param {string} root the checkout
 * @param {string} folder the folder of the builds
 * @returns {string | undefined}
 */
export function presentBuild(root, folder) {
  const paths = read(join(folder, 'sources.json'))
  if (paths === undefined) return undefined
  const sources = JSON.parse(paths).map((path) => [path, read(join(root, path))])
  // A source that was removed has no digest. Those that imported it have changed, too.
  if (sources.some(([, content]) => content === undefined)) return undefined
  const build = join(folder, digestOf(new Map(sources)))
  return existsSync(build) ? build : undefined
}

/** Makes the build. Returns its folder, or undefined if it cannot be written. */
async function newBuild(folder, make) {
  const partial = join(folder, `partial-${randomUUID()}`)
  try {
    mkdirSync(partial, { recursive: true })
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes(error.code)) return undefined
    throw error
  }
  try {
    const sources = await make(partial)
    const build = join(folder, digestOf(sources))
    try {
      renameSync(partial, build)
    } catch (error) {
      // Another process has made the same build.
      if (!existsSync(build)) throw error
    }
    const list = join(folder, `sources.json.${process.pid}`)
    writeFileSync(list, JSON.stringify([...sources.keys()].sort()))
    renameSync(list, join(folder, 'sources.json'))
    removeUnused(folder, build)
    return build
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

/** Returns the digest of sources, which does not depend on their order. */
function digestOf(sources) {
  const hash = createHash('sha256')
  for (const [path, content] of [...sources].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(`\0${path}\0${content.length}\0`).update(content)
  return hash.digest('hex')
}

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Notes in a build that this process uses it: the parts of a command are loaded when they are
 * needed, so that the build must stay until the process has ended.
 */
function noteUser(build) {
  if (noted.has(build)) return
  noted.add(build)
  const note = join(build, 'users', String(process.pid))
  try {
    mkdirSync(join(build, 'users'), { recursive: true })
    writeFileSync(note, startOf(process.pid) ?? '')
    process.once('exit', () => {
      rmSync(note, { force: true })
    })
  } catch {
    // In a directory that is read-only no build is ever removed.
  }
}

/** The builds in which this process has noted itself. */
const noted = new Set()

function removeUnused(folder, current) {
  for (const name of readdirSync(folder)) {
    const build = join(folder, name)
    if (build === current || !/^[0-9a-f]{64}$/.test(name)) continue
    if (Date.now() - statSync(build).mtimeMs > KEEP_MS && !isUsed(build))
      rmSync(build, { recursive: true, force: true })
  }
}

function isUsed(build) {
  const users = join(build, 'users')
  if (!existsSync(users)) return false
  return readdirSync(users).some((pid) => isSameProcess(Number(pid), read(join(users, pid)) || null))
}
