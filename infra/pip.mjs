import { spawnSync } from 'node:child_process'
import { findPython } from './programs.mjs'
import { SetupError } from './steps.mjs'

export const NETWORK_REMEDY =
  'Is there a network? pip reads its usual settings: PIP_INDEX_URL for a mirror, HTTPS_PROXY for a proxy, ' +
  'PIP_FIND_LINKS for a directory of wheels.'

/**
 * Returns the command line of a Python's pip.
 * @param {string} [python]
 * @returns {[string, ...string[]]}
 */
export function findPip(python = findPython()) {
  const has = spawnSync(python, ['-c', 'import pip'], { stdio: 'ignore' }).status === 0
  if (has) return [python, '-m', 'pip']
  throw new SetupError(
    `${python} has no pip, which fetches what is not on npm.\n` +
      'Install it (Debian, Ubuntu: apt-get install python3-pip python3-venv), or name another Python in ZEROSHIFT_PYTHON.',
  )
}
