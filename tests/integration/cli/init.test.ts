import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { answerOf, zeroshift } from '../../support/command.ts'
import { testDirectory } from '../../support/directories.ts'

test('init writes a config that can be planned, and names the command that runs it', async () => {
  const directory = testDirectory()
  const { code, stdout } = await zeroshift(directory, 'init', 'mine', '--split', 'random').ended
  expect(code).toBe(0)
  expect(stdout).toContain('zeroshift run mine.yaml')
  expect(readFileSync(join(directory, 'mine.yaml'), 'utf8')).toContain(
    'split: { kind: random, fraction: 0.1 }',
  )
  const planned = await zeroshift(directory, 'run', 'mine.yaml', '--dry-run', '--json').ended
  expect(answerOf(planned.stdout)).toMatchObject({ status: 'planned' })
})

test('init overwrites nothing', async () => {
  const directory = testDirectory()
  writeFileSync(join(directory, 'experiment.yaml'), 'mine')
  const { code, stderr } = await zeroshift(directory, 'init').ended
  expect(code).toBe(2)
  expect(stderr).toContain('experiment.yaml is there already, and nothing is overwritten')
  expect(readFileSync(join(directory, 'experiment.yaml'), 'utf8')).toBe('mine')
})
