import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { answerOf, processesOf, smallConfig, zeroshift } from '../support/command.ts'
import { testDirectory } from '../support/directories.ts'
import { zeroshiftHereWith } from '../support/in-process.ts'
import { forFile } from '../support/release.ts'
import { temporalServer } from '../support/temporal.ts'

let directory: string
beforeEach(() => {
  directory = testDirectory()
  writeFileSync(join(directory, 'small.yaml'), smallConfig)
})

/** Long enough to be interrupted. */
const long = ['-S', 'training.epochs=80']

/** The first line after Ctrl-C. */
const answer = 'Stopping. Once more to stop at once.'

function stackAddress(): string {
  const { address } = JSON.parse(readFileSync(join(directory, '.zeroshift/stack.json'), 'utf8')) as {
    address: string
  }
  return address
}

/** Server and worker both have the port on their command line. */
function left(address: string): readonly string[] {
  return processesOf(address.replace('127.0.0.1:', '')).filter((line) => /start-dev|worker\/main/.test(line))
}

describe('bad input', () => {
  test('ends before any work, with the place and exit code 2', async () => {
    writeFileSync(join(directory, 'bad.yaml'), smallConfig.replace('steps: 20', 'stepz: 20'))
    const { code, stderr, stdout } = await zeroshift(directory, 'run', 'bad.yaml', '--json').ended
    expect(code).toBe(2)
    expect(stderr).toMatch(/^bad\.yaml:11:5: .*stepz.*steps/m)
    expect(answerOf(stdout).status).toBe('invalid')
    expect(existsSync(join(directory, '.zeroshift'))).toBe(false)
  })

  test('that only the data can tell leaves nothing running', async () => {
    const { code, stderr } = await zeroshift(directory, 'run', 'small.yaml', '-S', 'split.classes=[11]').ended
    expect(code).toBe(2)
    expect(stderr).toMatch(/no class 11/)
    expect(processesOf(directory)).toEqual([])
  })

  test('that ends the first command while its server starts does not stop the second command', async () => {
    const wrong = await zeroshift(directory, 'run', 'small.yaml', '-S', 'split.classes=[11]').ended
    expect(wrong.code).toBe(2)
    const { code, stderr } = await zeroshift(directory, 'run', 'small.yaml').ended
    expect(code, stderr).toBe(0)
  })

  test.each([
    ['a missing argument', ['run']],
    ['an unknown verb', ['walk']],
    ['an unknown option', ['run', 'small.yaml', '--fast']],
    ['a missing file', ['run', 'nowhere.yaml']],
    ['an unknown run', ['report', 'nothing-00000000']],
    ['an unknown queue', ['worker', '--queue', 'nothing']],
    ['a server that is not there', ['run', 'small.yaml', '--temporal', '127.0.0.1:1']],
    ['nobody to leave the work to', ['run', 'small.yaml', '--detach']],
  ])('%s gives exit code 2', async (_, args) => {
    expect((await zeroshiftHereWith({}, directory, ...args)).code).toBe(2)
  })
})

test('a reader that has seen enough ends the command without a stack trace', async () => {
  const { child, ended } = zeroshift(directory, 'run', 'small.yaml', '--dry-run')
  child.stdout?.destroy()
  const { code, stderr } = await ended
  expect(code).toBe(141)
  expect(stderr).toBe('')
})

test('a dry run shows the stages and computes none', async () => {
  const { code, stdout } = await zeroshift(directory, 'run', 'small.yaml', '--dry-run', '--json').ended
  expect(code).toBe(0)
  expect(answerOf(stdout)).toMatchObject({ status: 'planned', stages: { computed: 13, cached: 0 } })
  expect(existsSync(join(directory, '.zeroshift'))).toBe(false)
})

test('Ctrl-C stops a run in order; the command that it says goes on, unless the config has changed', async () => {
  const first = zeroshift(directory, 'run', 'small.yaml', '--json', ...long)
  await first.says('train original …')
  const address = stackAddress()
  expect(left(address).length).toBeGreaterThan(1)
  first.child.kill('SIGINT')
  await first.says(answer)
  const { code, stdout, stderr } = await first.ended
  expect(code).toBe(1)
  expect(answerOf(stdout).status).toBe('cancelled')
  const { id = '' } = answerOf(stdout)
  expect(stderr.trimEnd().split('\n').at(-1)).toBe(
    `${id} was stopped. What is done is kept. To go on: ./zeroshift resume ${id}`,
  )
  await expect.poll(() => left(address), { timeout: 60_000, interval: 200 }).toEqual([])

  const config = join(directory, 'small.yaml')
  const text = readFileSync(config, 'utf8')
  writeFileSync(config, text.replace('name: small', 'name: smaller'))
  const refused = await zeroshiftHereWith({}, directory, 'resume', id)
  writeFileSync(config, text)
  expect(refused.code).toBe(2)
  expect(refused.stderr).toContain('name: "small", now "smaller"')

  const second = await zeroshift(directory, 'resume', id, '--json').ended
  expect(second.code).toBe(0)
  expect(answerOf(second.stdout)).toMatchObject({ id, status: 'completed' })
  expect(answerOf(second.stdout).stages.cached).toBeGreaterThanOrEqual(2)
})

test('Ctrl-C is answered at once, also while the servers start', async () => {
  const run = zeroshift(directory, 'run', 'small.yaml', '--json', ...long)
  await expect.poll(() => existsSync(join(directory, '.zeroshift')), { timeout: 60_000 }).toBe(true)
  run.child.kill('SIGINT')
  await run.says(answer)
  const { code, stdout } = await run.ended
  expect({ code, status: answerOf(stdout).status }).toEqual({ code: 1, status: 'cancelled' })
})

test('Ctrl-C is answered while a run waits for a worker, and a second one ends the command', async () => {
  const { address, client } = await forFile(temporalServer())
  const run = zeroshift(directory, 'run', 'small.yaml', '--temporal', address)
  const started = async () => {
    for await (const { status } of client.workflow.list()) return status.name
    return 'none'
  }
  await expect.poll(started, { timeout: 60_000 }).toBe('RUNNING')
  run.child.kill('SIGINT')
  await run.says(answer)
  run.child.kill('SIGINT')
  expect((await run.ended).code).toBe(130)
})

test('a run whose command was killed leaves nothing running, and is taken up again', async () => {
  const brief = [...long, '-S', 'heartbeatSeconds=4']
  const first = zeroshift(directory, 'run', 'small.yaml', ...brief)
  await first.says('train original …')
  const address = stackAddress()
  first.child.kill('SIGKILL')
  await first.ended
  await expect.poll(() => left(address), { timeout: 60_000, interval: 200 }).toEqual([])
  const interrupted = await zeroshift(directory, 'status').ended
  expect(interrupted.stdout).toMatch(/small-[0-9a-f]{8} +experiment +interrupted/)

  const second = await zeroshift(directory, 'run', 'small.yaml', '--json', ...brief).ended
  expect(second.code).toBe(0)
  // Joined, not begun anew: what the first command computed counts as this run's own.
  expect(answerOf(second.stdout)).toMatchObject({ status: 'completed', stages: { computed: 13, cached: 0 } })
  const { stdout } = await zeroshift(directory, 'status', answerOf(second.stdout).id, '--json').ended
  expect(JSON.parse(stdout)).toMatchObject({ state: 'completed', result: { computed: 13 } })
})

test("two runs in one directory do not get in each other's way", async () => {
  const runs = await Promise.all(
    [1, 2].map(
      (seed) => zeroshift(directory, 'run', 'small.yaml', '--json', '-S', `seed.training=${seed}`).ended,
    ),
  )
  expect(runs.map(({ code }) => code)).toEqual([0, 0])
  expect(new Set(runs.map(({ stdout }) => answerOf(stdout).id)).size).toBe(2)
})
