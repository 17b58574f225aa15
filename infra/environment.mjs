import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, rename, rm, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { cacheDirectory } from '../host/cache.mjs'
import { makeDirectory } from './install.mjs'
import { exclusively } from '../host/lock.mjs'
import { findPip, NETWORK_REMEDY } from './pip.mjs'
import { findPython } from './programs.mjs'
import { command, step } from './steps.mjs'

/**
 * A virtual environment of Python packages.
 * @typedef {object} Environment
 * @property {string} name of its folder in the cache and of its logs
 * @property {string} version of its contents
 * @property {readonly string[]} packages with their versions, as pip takes them
 * @property {string} title name of the contents, and the usual duration of the installation
 * @property {string} program the executable in it that is used
 */

/**
 * A link to the virtual environment in use. An environment contains its own path, so that it cannot
 * be renamed into place.
 */
const linkOf = ({ name, version }) => join(cacheDirectory(), name, version)

/**
 * @param {Environment} environment
 * @returns {Promise<string>} the path of its program
 */
export async function ensureEnvironment(environment) {
  const present = presentEnvironment(environment)
  if (present) return present
  const link = linkOf(environment)
  await makeDirectory(dirname(link))
  return exclusively(link, async () => presentEnvironment(environment) ?? install(environment, link))
}

/**
 * @param {Environment} environment
 * @returns {string | undefined} the path, or undefined if the environment is not installed
 */
export function presentEnvironment(environment) {
  const bin = join(linkOf(environment), 'bin')
  const program = join(bin, environment.program)
  // `python` is a link to the Python that made the environment. It is broken if that was removed.
  if (existsSync(join(bin, 'python')) && existsSync(program)) return program
}

async function install(environment, link) {
  await removeUnused(link)
  const directory = `${link}-${randomUUID()}`
  try {
    await step(environment.title, () => fill(environment, directory))
    await symlink(basename(directory), `${link}.new`)
    await rename(`${link}.new`, link)
  } catch (error) {
    await rm(directory, { recursive: true, force: true })
    throw error
  }
  return join(link, 'bin', environment.program)
}

async function fill({ name, packages }, directory) {
  const python = findPython()
  await command(python, ['-m', 'venv', directory], {
    log: `${name}-venv`,
    remedy: "The Python's venv module is needed (Debian, Ubuntu: apt-get install python3-venv).",
  })
  const [inside, ...pip] = findPip(join(directory, 'bin/python'))
  await command(inside, [...pip, 'install', '--no-input', '--retries=2', ...packages], {
    log: `${name}-install`,
    remedy: NETWORK_REMEDY,
  })
}

/**
 * Removes environments that no link leads to: those of an interrupted installation, or of a Python
 * that was removed.
 */
async function removeUnused(link) {
  await rm(`${link}.new`, { force: true })
  await rm(link, { recursive: true, force: true })
  for (const entry of await readdir(dirname(link))) {
    if (entry.startsWith(`${basename(link)}-`))
      await rm(join(dirname(link), entry), { recursive: true, force: true })
  }
}
