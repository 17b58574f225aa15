import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDirectory } from '../host/cache.mjs'
import { installOnce } from './install.mjs'
import { which } from './programs.mjs'
import { command, SetupError, step } from './steps.mjs'

const VERSION = 'v1.8.0'
const INSTALLED = `versitygw/${VERSION}`

/**
 * Builds Versity's S3 server, which serves a directory.
 * @returns {Promise<string>} its path
 */
export async function ensureVersitygw() {
  return presentVersitygw() ?? join(await installOnce(INSTALLED, build), 'versitygw')
}

/**
 * @returns {string | undefined} the path, or undefined if it is not installed
 */
export function presentVersitygw() {
  const cached = join(cacheDirectory(), INSTALLED, 'versitygw')
  return which('versitygw') ?? (existsSync(cached) ? cached : undefined)
}

async function build(directory) {
  const go = which('go')
  if (!go)
    throw new SetupError(
      'The S3 server `versitygw` was not found on PATH, and Go, which builds it, is not there either.\n' +
        `Install Go 1.25 or newer (https://go.dev/dl), or put a \`versitygw\` ${VERSION} from ` +
        'https://github.com/versity/versitygw/releases on PATH.',
    )
  await step('building the S3 server from source (about a minute on 2 cores)', () =>
    command(go, ['install', `github.com/versity/versitygw/cmd/versitygw@${VERSION}`], {
      log: 'versitygw-build',
      env: { GOBIN: directory, GOFLAGS: undefined, GOOS: undefined, GOARCH: undefined },
      remedy: 'Go reads its usual settings: GOPROXY for a mirror, HTTPS_PROXY for a proxy.',
    }),
  )
}
