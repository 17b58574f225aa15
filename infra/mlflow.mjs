import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, rename, rm, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { cacheDirectory } from './cache.mjs'
import { makeDirectory } from './install.mjs'
import { exclusively } from './lock.mjs'
import { findPip, NETWORK_REMEDY } from './pip.mjs'
import { findPython } from './programs.mjs'
import { command, step } from './steps.mjs'

const VERSION = '3.17.2'

/** A link to the virtual environment in use: an environment holds its own path, so it cannot be renamed into place. */
const environment = () => join(cacheDirectory(), 'mlflow', VERSION)

/**
 * MLflow in a virtual environment of its own.
 * @returns {Promise<string>} the path of the `mlflow` executable
 */
export async function ensureMlflow() {
  const present = presentMlflow()
  if (present) return present
  const link = environment()
  await makeDirectory(dirname(link))
  return exclusively(link, async () => presentMlflow() ?? install(link))
}

/**
 * @returns {string | undefined} the path, when `ensureMlflow` has nothing to do
 */
export function presentMlflow() {
  const bin = join(environment(), 'bin')
  // `python` is a link to the Python it was made with, and leads nowhere when that was removed.
  if (existsSync(join(bin, 'python')) && existsSync(join(bin, 'mlflow'))) return join(bin, 'mlflow')
}

async function install(link) {
  await removeUnused(link)
  const directory = `${link}-${randomUUID()}`
  try {
    await step(`installing MLflow ${VERSION} (about 80 s, 850 MB)`, () => fill(directory))
    await symlink(basename(directory), `${link}.new`)
    await rename(`${link}.new`, link)
  } catch (error) {
    await rm(directory, { recursive: true, force: true })
    throw error
  }
  return join(link, 'bin/mlflow')
}

async function fill(directory) {
  const python = findPython()
  await command(python, ['-m', 'venv', directory], {
    log: 'mlflow-venv',
    remedy: "The Python's venv module is needed (Debian, Ubuntu: apt-get install python3-venv).",
  })
  const [inside, ...pip] = findPip(join(directory, 'bin/python'))
  await command(inside, [...pip, 'install', '--no-input', '--retries=2', `mlflow==${VERSION}`], {
    log: 'mlflow-install',
    remedy: NETWORK_REMEDY,
  })
}

/** Environments that no link leads to: of an interrupted install, or made with a Python that is gone. */
async function removeUnused(link) {
  await rm(`${link}.new`, { force: true })
  await rm(link, { recursive: true, force: true })
  for (const entry of await readdir(dirname(link))) {
    if (entry.startsWith(`${basename(link)}-`))
      await rm(join(dirname(link), entry), { recursive: true, force: true })
  }
}
