import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { vi } from 'vitest'
import { fixedVariables, threadVariables } from '../../common/program-variables.ts'
import { afterFile } from './release.ts'

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/forking/${name}`, import.meta.url))

/**
 * Starts a process that imports modules, and makes a `python` whose programs are forks of it, since
 * the imports take longer than the programs of tests. Returns the folder of that `python`, which is
 * removed with `directory`.
 */
export async function forkingPython(
  python: string,
  directory: string,
  modules: readonly string[],
): Promise<string> {
  const folder = join(directory, 'forking')
  mkdirSync(folder)
  const client = `#!${python} -IS\n${readFileSync(fixture('client.py'), 'utf8')}`
  writeFileSync(join(folder, 'python'), client, { mode: 0o755 })
  const place = join(folder, 'socket')
  const server = spawn(python, [fixture('server.py'), place, ...modules], {
    // As programs have them, since libraries read some of them when they are imported.
    env: {
      ...{ PATH: process.env.PATH, HOME: folder, TMPDIR: folder, CUDA_VISIBLE_DEVICES: '' },
      ...fixedVariables,
      ...Object.fromEntries(threadVariables.map((name) => [name, '1'])),
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  afterFile(() => server.kill('SIGKILL'))
  await vi.waitUntil(() => existsSync(place) || server.exitCode !== null, { timeout: 240_000, interval: 50 })
  if (!existsSync(place)) throw new Error('the imports failed')
  return folder
}
