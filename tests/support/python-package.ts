import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** The wheel of `python/`, and virtual environments in which it is installed. */

const source = fileURLToPath(new URL('../../python', import.meta.url))
const execute = promisify(execFile)

/** Builds the wheel with the setuptools of a Python. Returns the path. */
export async function buildWheel(python: string, directory: string): Promise<string> {
  // setuptools writes beside the sources.
  const copy = join(directory, 'source')
  await cp(source, copy, { recursive: true, filter: (path) => !path.endsWith('__pycache__') })
  const dist = join(directory, 'dist')
  const offline = ['--no-build-isolation', '--no-deps', '--no-index', '--quiet']
  await execute(python, ['-m', 'pip', 'wheel', ...offline, '--wheel-dir', dist, copy])
  const [wheel = ''] = await readdir(dist)
  return join(dist, wheel)
}

/**
 * Makes a virtual environment with a wheel and with packages of the environment of `python`: those
 * whose folders match a pattern, or all of them. Returns the path of its `python`.
 */
export async function environmentWith(
  wheel: string,
  python: string,
  directory: string,
  packages?: RegExp,
): Promise<string> {
  await execute(python, ['-m', 'venv', '--without-pip', directory])
  const inside = join(directory, 'bin', 'python')
  const [own, given] = await Promise.all([inside, python].map(sitePackages))
  if (own === undefined || given === undefined) throw new Error('a Python has no folder of packages')
  if (packages) {
    for (const name of await readdir(given))
      if (packages.test(name)) await symlink(join(given, name), join(own, name))
  } else {
    await writeFile(join(own, 'given.pth'), `${given}\n`)
  }
  const options = ['--python', inside, 'install', '--no-deps', '--no-index', '--quiet']
  await execute(python, ['-m', 'pip', ...options, wheel])
  return inside
}

/** Runs pytest in `python/`. Returns what it printed. Rejects with it if a test fails. */
export async function pytest(python: string, environment: NodeJS.ProcessEnv = {}): Promise<string> {
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1', HF_HUB_OFFLINE: '1', ...environment }
  const { stdout } = await execute(python, ['-m', 'pytest', '-q', '-rs'], { cwd: source, env }).catch(
    (error: unknown) => {
      const output = error instanceof Error && 'stdout' in error ? String(error.stdout) : ''
      throw new Error(`pytest failed:\n${output}`, { cause: error })
    },
  )
  return stdout
}

/** Writes files into a folder that is made for them. */
export async function writeFolder(
  folder: string,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<void> {
  await mkdir(folder, { recursive: true })
  await Promise.all(Object.entries(files).map(([name, bytes]) => writeFile(join(folder, name), bytes)))
}

async function sitePackages(python: string): Promise<string> {
  const script = 'import sysconfig; print(sysconfig.get_path("purelib"))'
  return (await execute(python, ['-c', script])).stdout.trim()
}
