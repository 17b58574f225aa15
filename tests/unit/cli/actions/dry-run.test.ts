import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ReplayCost } from '../../../../experiment/plan/replay-cost.ts'
import { smallConfig } from '../../../support/command.ts'
import { testDirectory } from '../../../support/directories.ts'
import { zeroshiftHere } from '../../../support/in-process.ts'

const replayConfig = `name: replay
data:
  name: digits
split:
  kind: random
  count: 1
model:
  name: mlp
  hidden: [4]
training:
  epochs: 2
  batchSize: 64
  replay:
    checkpoints: 2
methods:
  - method: replay
`

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

test('a dry run says what replay is expected to repeat', async () => {
  const directory = testDirectory()
  writeFileSync(join(directory, 'replay.yaml'), replayConfig)
  const { code, stdout, stderr } = await zeroshiftHere(directory, 'run', 'replay.yaml', '--dry-run', '--json')
  expect(code, stdout + stderr).toBe(0)
  const { replay } = JSON.parse(stdout) as { readonly replay: ReplayCost }
  expect(replay.steps).toBe(38)
  expect(replay.keptSteps).toEqual([6, 12])
  const unread = (steps: number) => 1 - (64 * steps) / 1258
  expect(replay.expectedShare.oneSample).toBeCloseTo(1 - (6 * unread(6) + 6 * unread(12)) / 38, 10)
  expect(replay.expectedShare.forgetSet).toBeCloseTo(replay.expectedShare.oneSample, 10)
  const text = await zeroshiftHere(directory, 'run', 'replay.yaml', '--dry-run')
  expect(text.stdout).toMatch(
    /replay is expected to repeat, of the training's 38 steps, [78]\d\.\d% for the forget set/,
  )
})
