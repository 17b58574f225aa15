import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test, vi } from 'vitest'
import { isBundled, workflowBundle } from '../../../worker/bundle.ts'
import { prepare } from '../../../worker/prepare.ts'
import { fileDirectory } from '../../support/directories.ts'

/** The bundle is made once for all tests, since that takes seconds. */
let cache: string
const shown = vi.fn((work: () => Promise<void>) => work())
beforeAll(async () => {
  cache = fileDirectory()
  vi.stubEnv('ZEROSHIFT_CACHE', cache)
  expect(await isBundled()).toBe(false)
  await prepare(shown)
})

test('the set-up makes the bundle, and nothing the second time', async () => {
  expect(shown).toHaveBeenCalledTimes(1)
  expect(await isBundled()).toBe(true)
  await prepare(shown)
  expect(shown).toHaveBeenCalledTimes(1)
})

test('workflows load no schemas of configs', async () => {
  const { code } = await workflowBundle()
  const loads = (module: string) => code.includes(module)
  expect(loads('./experiment/stages/probe.ts')).toBe(true)
  expect(loads('./node_modules/zod/')).toBe(false)
})

test('the bundle is read from then on', async () => {
  const directory = join(cache, 'workflows')
  const [name = ''] = readdirSync(directory)
  writeFileSync(join(directory, name), 'kept')
  expect(await workflowBundle()).toEqual({ code: 'kept' })
})
