import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { smallConfig } from '../../../support/command.ts'
import { testDirectory } from '../../../support/directories.ts'
import { zeroshiftHere } from '../../../support/in-process.ts'

test('a dry run with the 64 seeds that KLoM needs lists the stages of every seed', async () => {
  const directory = testDirectory()
  writeFileSync(join(directory, 'small.yaml'), smallConfig)
  const args = ['run', 'small.yaml', '--dry-run', '--json', '-S', 'seeds=64']
  const { code, stdout } = await zeroshiftHere(directory, ...args)
  expect(code).toBe(0)
  const answer = JSON.parse(stdout) as {
    readonly status: string
    readonly plan: readonly { readonly kind: string; readonly title: string }[]
  }
  expect(answer.status).toBe('planned')
  const titles = answer.plan.map(({ title }) => title)
  expect(titles.filter((title) => title.startsWith('unlearn by rfa'))).toHaveLength(64)
  expect(titles).toContain('train original, seed 64')
  expect(answer.plan.filter(({ kind }) => kind === 'population')).toHaveLength(1)
})
