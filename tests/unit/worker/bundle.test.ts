import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { workflowBundle } from '../../../worker/bundle.ts'
import { testDirectory } from '../../support/directories.ts'

test('the workflows are bundled once, and read from then on', async () => {
  const directory = testDirectory()
  const { code } = await workflowBundle(directory)
  expect(code).toContain('experiment')
  const [name = ''] = await readdir(directory)
  await writeFile(join(directory, name), 'kept')
  expect(await workflowBundle(directory)).toEqual({ code: 'kept' })
})
