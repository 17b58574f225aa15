import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { FileStore } from '../../artifacts/store/file-store.ts'
import { answerOf, zeroshift } from '../support/command.ts'
import { fileDirectory } from '../support/directories.ts'
import { zeroshiftHereWith } from '../support/in-process.ts'
import { damageOf } from '../support/made-store.ts'

const fixtures = fileURLToPath(new URL('../fixtures/stores', import.meta.url))
const directory = fileDirectory()

test('a run in a copy of a store of an earlier version computes only stages with other keys', async () => {
  cpSync(join(fixtures, 'small.yaml'), join(directory, 'small.yaml'))
  cpSync(join(fixtures, 'format-1'), join(directory, 'store'), { recursive: true })
  expect((await zeroshiftHereWith({}, directory, 'store', 'copy', 'store', 'copy')).code).toBe(0)
  const run = ['run', 'small.yaml', '--json', '--store', 'copy']
  const planned = await zeroshiftHereWith({}, directory, ...run, '--dry-run')
  const { code, stdout } = await zeroshift(directory, ...run).ended
  expect(code).toBe(0)
  // All 13 are cached, until a version in experiment/stages/code-lock.json is raised.
  const { stages, id, digest } = answerOf(stdout)
  expect(stages).toEqual(answerOf(planned.stdout).stages)
  if (id === 'small-07ac6d6a') expect(stages).toEqual({ computed: 0, cached: 13 })
  expect(digest).toMatch(/^[0-9a-f]{64}$/)
  expect(await damageOf(new FileStore(join(directory, 'copy')))).toEqual([])
})
