import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { workflowBundle } from '../../../worker/bundle.ts'
import { test } from '../../support/fixtures.ts'

test('the workflows are bundled once, and read from then on', async ({ directory }) => {
  const { code } = await workflowBundle(directory)
  expect(code).toContain('experiment')
  const [name = ''] = await readdir(directory)
  await writeFile(join(directory, name), 'kept')
  expect(await workflowBundle(directory)).toEqual({ code: 'kept' })
})

test('workflows load no schemas of configs', async ({ directory }) => {
  const { code } = await workflowBundle(directory)
  const loads = (module: string) => code.includes(module)
  expect(loads('./experiment/stages/probe.ts')).toBe(true)
  expect(loads('./node_modules/zod/')).toBe(false)
})
