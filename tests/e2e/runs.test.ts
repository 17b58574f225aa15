import { freePort } from '../../host/free-port.ts'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RunListEntry } from '../../cli/server/run-list.ts'
import {
  answerOf,
  endlessConfig,
  smallConfig,
  zeroshift,
  type Ended,
  type Running,
} from '../support/command.ts'
import { testDirectory } from '../support/directories.ts'
import { zeroshiftHereWith } from '../support/in-process.ts'

let directory: string
let stack: Running | undefined
beforeEach(() => {
  directory = testDirectory()
  writeFileSync(join(directory, 'small.yaml'), smallConfig)
  writeFileSync(join(directory, 'long.yaml'), endlessConfig)
})
afterEach(async () => {
  stack?.child.kill('SIGINT')
  await stack?.ended
})

/** In this process, since the start of one takes longer than most of these commands. */
const command = (...args: readonly string[]): Promise<Ended> => zeroshiftHereWith({}, directory, ...args)

async function done(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await command(...args)
  if (code !== 0) throw new Error(`${args.join(' ')}: ${stderr}`)
  return stdout
}

const listed = async (...filters: readonly string[]) =>
  (JSON.parse(await done('runs', '--json', ...filters)) as { runs: RunListEntry[] }).runs

test('runs are found by what they are of, and cancelled; those of a stack that is gone as well', async () => {
  expect(await listed()).toEqual([])
  stack = zeroshift(directory, 'up', '--no-s3', '--no-mlflow', '--port', String(await freePort()))
  await stack.says('Ctrl-C stops it')

  const four = answerOf(await done('run', 'small.yaml', '--json')).id
  const override = ['-S', 'methods[1].rank=8', '-S', 'methods[0].method=neggrad-plus']
  const eight = answerOf(await done('run', 'long.yaml', '--json', '--detach', ...override)).id

  const ids = async (...filters: readonly string[]) => (await listed(...filters)).map(({ id }) => id)
  const shown = async (filters: string, expected: readonly string[]) => {
    // The server lists a run a moment after it has begun or ended.
    await expect.poll(() => ids(...filters.split(' ').filter(Boolean)), { timeout: 60_000 }).toEqual(expected)
  }
  await shown('', [eight, four])
  await shown('--limit 1', [eight])
  await shown('--status running', [eight])
  await shown('--rank 8', [eight])
  await shown('--method neggrad-plus', [eight])
  await shown('--method plus', [])
  await shown('--sweep none', [])
  await shown(`--status completed --data digits --method rfa --rank 4 --config ${four.slice(-8)}`, [four])
  expect(await command('runs', '--status', 'done')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("found 'done'") as string,
  })
  const table = (await done('runs')).trim().split('\n')
  expect(table[0]).toMatch(/^RUN +STATE +DATA +METHODS +RANKS +SWEEP +STARTED +TOOK$/)
  expect(table[1]).toMatch(new RegExp(`^${eight} +running +digits +neggrad-plus, rfa, external +8 +2`))

  expect((JSON.parse(await done('status', 'last', '--json')) as RunListEntry).id).toBe(eight)
  expect(await done('cancel', 'long')).toBe(
    `${eight} is cancelled. What is done is kept. To go on: ./zeroshift resume ${eight}\n`,
  )
  await shown('--status cancelled', [eight])
  await done('tag', four, '+paper')
  await done('note', four, 'four ranks')
  await shown('--tag paper', [four])
  await shown('--tag paper --since 1d --limit 1', [four])
  await shown('--since 2999-01-01', [])
  await shown('--sort run', [eight, four].sort())
  expect(
    (await done('runs', '--columns', 'run,tags,note', '--sort', 'run')).trim().split('\n'),
  ).toContainEqual(expect.stringMatching(new RegExp(`^${four} +paper +four ranks$`)))
  expect(JSON.parse(await done('status', four, '--json'))).toMatchObject({
    labels: { tags: ['paper'], note: 'four ranks' },
  })
  expect(await done('status', four)).toMatch(/^tags: paper\nnote: four ranks$/m)
  for (const verb of ['cancel', 'pause'])
    expect(await command(verb, eight)).toMatchObject({
      code: 2,
      stderr: `there is no run or sweep '${eight}' that is going on here; \`./zeroshift status\` lists them\n`,
    })

  stack.child.kill('SIGINT')
  await stack.ended
  stack = undefined
  expect(await ids('--rank', '8')).toEqual([eight])
  expect(await command('cancel', eight)).toMatchObject({
    code: 2,
    stderr: `nothing runs in this directory; name the Temporal server of '${eight}' with --temporal\n`,
  })
})
