import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { checkoutLock, ROOT } from './checkout.mjs'
import { makeDirectory } from './install.mjs'
import { exclusively } from '../host/lock.mjs'
import { which } from './programs.mjs'
import { command, SetupError, step } from './steps.mjs'

const LOCKFILE = join(ROOT, 'package-lock.json')
const MODULES = join(ROOT, 'node_modules')
const STAMP = join(MODULES, '.zeroshift-lock')

/**
 * Runs `npm ci` unless node_modules agrees with package-lock.json.
 * @returns {Promise<void>}
 */
export async function ensurePackages() {
  if (arePackagesReady()) return
  const lock = checkoutLock()
  await makeDirectory(dirname(lock))
  await exclusively(lock, async () => {
    if (arePackagesReady()) return
    const npm = which('npm', join(dirname(process.execPath), 'npm'))
    if (!npm) {
      throw new SetupError(
        `npm was not found, neither on PATH nor beside ${process.execPath}.\n` +
          'Install it (it comes with Node from https://nodejs.org; Debian: apt-get install npm).',
      )
    }
    await step(`installing the npm packages (${existsSync(MODULES) ? 'they changed; ' : ''}about 30 s)`, () =>
      command(npm, ['ci', '--no-audit', '--no-fund'], {
        cwd: ROOT,
        log: 'npm-ci',
        remedy:
          'Is there a network? npm reads its usual settings: `npm config set registry URL` for a mirror.',
      }),
    )
    writeFileSync(STAMP, lockfileHash())
  })
}

/**
 * @returns {boolean} whether `ensurePackages` has nothing to do; takes about a millisecond
 */
export function arePackagesReady() {
  const hash = lockfileHash()
  if (read(STAMP) === hash) return true
  if (!isInstalled()) return false
  try {
    writeFileSync(STAMP, hash)
  } catch {
    // If node_modules cannot be written to (in a container image), it is compared again the next
    // time.
  }
  return true
}

function lockfileHash() {
  const text = read(LOCKFILE)
  if (text === undefined) throw new SetupError(`${LOCKFILE} is not there: is the clone complete?`)
  return createHash('sha256').update(text).digest('hex')
}

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return
    throw error
  }
}

/**
 * Compares npm's own record of what it installed, in case `npm install` or `npm ci` was run by
 * hand.
 */
function isInstalled() {
  const text = read(join(MODULES, '.package-lock.json'))
  if (text === undefined) return false
  const { packages: installed } = JSON.parse(text)
  const { packages: locked } = JSON.parse(read(LOCKFILE))
  const needsDevelopment = process.env.NODE_ENV !== 'production'
  for (const [path, { version, optional, dev, devOptional }] of Object.entries(locked)) {
    if (path === '') continue
    if (path in installed) {
      if (installed[path].version !== version) return false
    } else if (!optional && !(dev && !needsDevelopment) && !devOptional) {
      return false
    }
  }
  return Object.keys(installed).every((path) => path in locked)
}
