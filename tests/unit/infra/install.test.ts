import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { installOnce } from '../../../infra/install.mjs'
import { testDirectory } from '../../support/directories.ts'
import { until } from '../../support/durable.ts'

/** The set-up keeps the programs that it builds in a cache, which checkouts share. */
let cache: string
beforeEach(() => {
  cache = testDirectory()
  vi.stubEnv('ZEROSHIFT_CACHE', cache)
})
afterEach(() => {
  vi.unstubAllEnvs()
})
const files = () => readdirSync(join(cache, 'tool')).sort()

let builds = 0
const build = (directory: string) => {
  writeFileSync(join(directory, 'program'), String(++builds))
  return Promise.resolve()
}
beforeEach(() => (builds = 0))

test('what is built once is there for whoever asks at the same time, and later', async () => {
  const asked = await Promise.all([1, 2, 3].map(() => installOnce('tool/1', build)))
  expect(new Set([...asked, await installOnce('tool/1', build)])).toEqual(new Set([join(cache, 'tool/1')]))
  expect(builds).toBe(1)
  expect(files()).toEqual(['1'])
})

test('a build that fails leaves nothing, and is tried again', async () => {
  const failing = async (directory: string) => {
    await build(directory)
    throw new Error('no compiler')
  }
  await expect(installOnce('tool/1', failing)).rejects.toThrow('no compiler')
  expect(files()).toEqual([])
  await installOnce('tool/1', build)
  expect(files()).toEqual(['1'])
})

test('after a set-up that was killed, what it had finished is kept and what it had begun is built anew', async () => {
  await installOnce('tool/finished', build)
  const module = JSON.stringify(new URL('../../../infra/install.mjs', import.meta.url).href)
  const script = `const { installOnce } = await import(${module})
await installOnce('tool/begun', () => new Promise((resolve) => setTimeout(resolve, 600_000)))`
  const killed = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'inherit' })
  await until('its beginning', () => files().some((name) => name.startsWith('begun.partial-')))
  killed.kill('SIGKILL')
  await once(killed, 'exit')
  await installOnce('tool/finished', build)
  const begun = await installOnce('tool/begun', build)
  expect(readFileSync(join(begun, 'program'), 'utf8')).toBe('2')
  expect(files()).toEqual(['begun', 'finished'])
})
