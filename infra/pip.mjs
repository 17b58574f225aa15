import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installOnce } from './install.mjs'
import { findPython } from './programs.mjs'
import { command, step } from './steps.mjs'

export const NETWORK_REMEDY =
  'Is there a network? pip reads its usual settings: PIP_INDEX_URL for a mirror, HTTPS_PROXY for a proxy, ' +
  'PIP_FIND_LINKS for a directory of wheels.'

/**
 * A command line that is pip: the module of the Python that was found or, where distributions leave it out,
 * pip's own wheel, which Python can run as it is.
 * @param {string} [python]
 * @returns {Promise<[string, ...string[]]>}
 */
export async function findPip(python = findPython()) {
  const has = spawnSync(python, ['-c', 'import pip'], { stdio: 'ignore' }).status === 0
  if (has) return [python, '-m', 'pip']
  const directory = await installOnce('pip', (directory) =>
    step(`fetching pip, which ${python} lacks (2 MB)`, () =>
      command(python, [fileURLToPath(new URL('fetch_pip.py', import.meta.url)), directory], {
        log: 'fetch-pip',
        remedy: `${NETWORK_REMEDY}\nOr install pip (Debian, Ubuntu: apt-get install python3-pip).`,
      }),
    ),
  )
  const wheel = readdirSync(directory).find((name) => name.endsWith('.whl'))
  return [python, join(directory, wheel, 'pip')]
}
