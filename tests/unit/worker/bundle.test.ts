import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { workflowBundle } from '../../../worker/bundle.ts'

test('the workflows are bundled once, and read from then on', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'zeroshift-bundle-'))
  try {
    const { code } = await workflowBundle(directory)
    expect(code).toContain('experiment')
    const [name = ''] = await readdir(directory)
    await writeFile(join(directory, name), 'kept')
    expect(await workflowBundle(directory)).toEqual({ code: 'kept' })
  } finally {
    await rm(directory, { recursive: true })
  }
})
