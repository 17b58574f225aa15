import { spawnSync } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { SetupError } from './steps.mjs'

/**
 * Returns the path of the first name that is an executable file on PATH, or a path of one.
 * @param {...(string | undefined)} names
 * @returns {string | undefined} its path
 */
export function which(...names) {
  for (const name of names) {
    if (!name) continue
    const places = name.includes('/') ? [''] : (process.env.PATH ?? '').split(delimiter).filter(Boolean)
    for (const place of places) {
      const path = join(place, name)
      if (isExecutable(path)) return path
    }
  }
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

const PYTHONS = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python3.14', 'python']

/**
 * Finds a Python that node-gyp and the Python packages can use.
 * @returns {string} its path
 */
export function findPython() {
  const named = process.env.ZEROSHIFT_PYTHON
  const found = []
  for (const name of named ? [named] : PYTHONS) {
    const path = which(name)
    if (!path) continue
    const probe = spawnSync(path, ['-c', 'import sys; print(*sys.version_info[:2])'], { encoding: 'utf8' })
    const [major, minor] = (probe.stdout ?? '').trim().split(' ').map(Number)
    if (probe.status === 0 && major === 3 && minor >= 10) return path
    found.push(`${path} is ${probe.status === 0 ? `Python ${major}.${minor}` : 'not usable'}`)
  }
  throw new SetupError(
    `Python 3.10 or newer is needed, and was not found: looked for ${named ?? PYTHONS.join(', ')} on PATH` +
      `${found.length ? ` (${found.join('; ')})` : ''}.\n` +
      'Install it (Debian, Ubuntu: apt-get install python3; Fedora: dnf install python3; macOS: brew install python3), ' +
      'or set ZEROSHIFT_PYTHON to its path.',
  )
}

/**
 * Finds a C++ compiler for node-gyp.
 * @returns {Record<string, string>} the environment that makes node-gyp use that compiler
 */
export function findCompiler() {
  const named = process.env.CXX
  const cxx = which(named?.split(' ')[0], 'g++', 'c++', 'clang++')
  const missing = [!cxx && 'a C++ compiler (g++, c++ or clang++)', !which('make') && 'make'].filter(Boolean)
  if (missing.length) {
    throw new SetupError(
      `${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} needed to build the TensorFlow addon, ` +
        'and not on PATH.\n' +
        'Install a compiler (Debian, Ubuntu: apt-get install g++ make; Fedora: dnf install gcc-c++ make; ' +
        'Alpine is not supported; macOS: xcode-select --install), or set CXX to the path of one.',
    )
  }
  if (named || which('g++', 'c++') === cxx) return {}
  return { CXX: cxx, CC: which('clang') ?? 'cc' }
}
