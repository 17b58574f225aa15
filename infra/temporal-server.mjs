import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDirectory } from '../host/cache.mjs'
import { installOnce } from './install.mjs'
import { which } from './programs.mjs'
import { command, SetupError, step } from './steps.mjs'

/** The version that the dev server of infra/temporal.mjs contains. */
const SERVER = 'go.temporal.io/server/cmd/server@v1.29.1'
const INSTALLED = 'temporal-server/1'

/**
 * Builds Temporal's server. Unlike the dev server it supports TLS and authorisation, so that tests
 * of connections use it.
 * @returns {Promise<string>} its path
 */
export async function ensureTemporalServer() {
  return presentTemporalServer() ?? join(await installOnce(INSTALLED, build), 'server')
}

/**
 * @returns {string | undefined} the path, or undefined if it is not installed
 */
export function presentTemporalServer() {
  const cached = join(cacheDirectory(), INSTALLED, 'server')
  return existsSync(cached) ? cached : undefined
}

async function build(directory) {
  const go = which('go')
  if (!go)
    throw new SetupError('Go, to build it from source, is not on PATH (https://go.dev/dl, 1.24 or newer).')
  await step("building Temporal's server with TLS from source (about 3 minutes on 2 cores)", () =>
    command(go, ['install', SERVER], {
      log: 'temporal-server-build',
      env: { GOBIN: directory, GOFLAGS: undefined, GOOS: undefined, GOARCH: undefined },
      remedy: 'Go reads its usual settings: GOPROXY for a mirror, HTTPS_PROXY for a proxy.',
    }),
  )
}
