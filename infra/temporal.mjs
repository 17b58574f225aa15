import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { readdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheDirectory } from '../host/cache.mjs'
import { installOnce } from './install.mjs'
import { which } from './programs.mjs'
import { command, SetupError, step } from './steps.mjs'

/** Later versions have a `replace` in their go.mod, which `go install` refuses. */
const CLI = 'github.com/temporalio/cli/cmd/temporal@v1.5.1'
const INSTALLED = 'temporal/1'

/**
 * Installs Temporal's command line. Its `server start-dev` is the embedded server.
 * @returns {Promise<string>} its path
 */
export async function ensureTemporal() {
  return presentTemporal() ?? join(await installOnce(INSTALLED, install), 'temporal')
}

/**
 * @returns {string | undefined} the path, or undefined if it is not installed
 */
export function presentTemporal() {
  const onPath = which('temporal')
  if (onPath && hasDevServer(onPath)) return onPath
  const cached = join(cacheDirectory(), INSTALLED, 'temporal')
  if (existsSync(cached)) return cached
}

/**
 * Asks a `temporal` for its version, once: the answer is stored, since this runs at every start.
 */
function hasDevServer(path) {
  const { size, mtimeMs } = statSync(path)
  const known = JSON.stringify({ path, size, mtimeMs })
  const stamp = join(cacheDirectory(), 'temporal-on-path.json')
  try {
    if (readFileSync(stamp, 'utf8') === known) return true
  } catch {
    // It was not asked yet.
  }
  const answer = spawnSync(path, ['server', 'start-dev', '--help'], { encoding: 'utf8', timeout: 20_000 })
  if (answer.status !== 0 || !answer.stdout.includes('start-dev')) return false
  try {
    mkdirSync(dirname(stamp), { recursive: true })
    writeFileSync(stamp, known)
  } catch {
    // If the cache cannot be written to, the question is asked again the next time.
  }
  return true
}

async function install(directory) {
  const reasons = []
  for (const source of [download, build]) {
    try {
      return await source(directory)
    } catch (error) {
      if (!(error instanceof SetupError)) throw error
      reasons.push(error.message)
    }
  }
  throw new SetupError(
    [
      "Temporal's command line was not found. Looked for `temporal` (with `server start-dev`) on PATH, then in " +
        `${join(cacheDirectory(), INSTALLED)}, then tried to get it:`,
      ...reasons.map((reason, i) => `${i + 1}. ${reason}`),
      'Install Go and run this again, or put a `temporal` from https://github.com/temporalio/cli/releases on PATH.',
    ].join('\n'),
  )
}

async function download(directory) {
  await step('downloading the Temporal server (about 30 s)', () =>
    command(process.execPath, [fileURLToPath(new URL('temporal-download.mjs', import.meta.url)), directory], {
      log: 'temporal-download',
      limitSeconds: 180,
      remedy: 'Is https://temporal.download reachable? On closed networks it is not.',
    }),
  )
  const found = (await readdir(directory)).find((name) => name.startsWith('temporal'))
  if (!found) throw new SetupError(`The download left nothing in ${directory}.`)
  await rename(join(directory, found), join(directory, 'temporal'))
}

async function build(directory) {
  const go = which('go')
  if (!go)
    throw new SetupError('Go, to build it from source, is not on PATH (https://go.dev/dl, 1.24 or newer).')
  await step('building the Temporal server from source instead (about 3 minutes on 2 cores)', () =>
    command(go, ['install', CLI], {
      log: 'temporal-build',
      env: { GOBIN: directory, GOFLAGS: undefined, GOOS: undefined, GOARCH: undefined },
      remedy: 'Go reads its usual settings: GOPROXY for a mirror, HTTPS_PROXY for a proxy.',
    }),
  )
}
