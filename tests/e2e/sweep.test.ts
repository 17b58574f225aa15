import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RunListEntry } from '../../cli/server/run-list.ts'
import type { SweepCounts } from '../../cli/output/output.ts'
import { freePort } from '../../host/free-port.ts'
import { answerOf, zeroshift, type Ended, type Running } from '../support/command.ts'
import { testDirectory } from '../support/directories.ts'
import { zeroshiftHereWith } from '../support/in-process.ts'
import { sharedStack } from '../support/shared-stack.ts'
import { terminal } from '../support/terminal.ts'
import { writeSweep } from '../support/tiny-sweep.ts'

const shared = sharedStack()
let directory: string
/** The stack of `zeroshift up`, in the test that starts one. */
let stack: Running | undefined
beforeEach(() => {
  directory = testDirectory()
})
afterEach(async () => {
  stack?.child.kill('SIGINT')
  await stack?.ended
  stack = undefined
})

const command = (...args: readonly string[]): Promise<Ended> =>
  stack ? zeroshiftHereWith({}, directory, ...args) : shared.here(directory, ...args)

async function answered(...args: readonly string[]) {
  const { stdout, stderr } = await command(...args, '--json')
  if (!stdout.trim()) throw new Error(`${args.join(' ')}: ${stderr}`)
  const answer = answerOf(stdout)
  return { ...answer, counts: answer.cells as SweepCounts }
}

const targets = '"methods[0].target": [retained-mean, random-retained]'

describe('a sweep', () => {
  test('shares stages, runs nothing twice, and takes in more points on demand alone', async () => {
    writeSweep(directory, `grid: { "methods[0].rank": [1, 2], ${targets} }`)
    const planned = await answered('sweep', 'ranks.yaml', '--dry-run')
    // The data, the split, the original, two gold models and their twin are shared. Each cell makes
    // and compares one model.
    expect(planned).toMatchObject({ status: 'planned', shared: 39, stages: { computed: 29, cached: 0 } })
    expect(existsSync(join(directory, '.zeroshift/store/runs'))).toBe(false)

    const first = await answered('sweep', 'ranks.yaml')
    expect(first).toMatchObject({
      status: 'completed',
      counts: { cells: 4, done: 4, cached: 0, failures: [] },
    })
    const folder = fileURLToPath(first.report)
    for (const file of ['index.html', 'report.md', 'report.json', 'results.csv', 'results.tex'])
      expect(existsSync(join(folder, file))).toBe(true)
    const links = [...readFileSync(join(folder, 'index.html'), 'utf8').matchAll(/href="([^"#]+)"/g)]
    expect(links.length).toBeGreaterThanOrEqual(4)
    for (const [, link = ''] of links) expect(existsSync(join(folder, link))).toBe(true)

    const page = join(folder, '../../../runs', planRuns(planned)[0] ?? '', 'report/index.html')
    const writtenAt = statSync(page).mtimeMs
    const again = await answered('sweep', 'ranks.yaml')
    expect(again).toMatchObject({ digest: first.digest, counts: { done: 4, cached: 4 } })
    expect(statSync(page).mtimeMs).toBe(writtenAt)

    // One at a time in a store of its own: the same.
    const alone = await answered(
      'sweep',
      'ranks.yaml',
      '--max-parallel',
      '1',
      '--store',
      join(directory, 'alone'),
    )
    expect(alone.digest).toBe(first.digest)

    writeSweep(directory, `grid: { "methods[0].rank": [1, 2, 4], ${targets} }`)
    const refused = await command('resume', first.id)
    expect(refused).toMatchObject({ code: 2 })
    expect(refused.stderr).toContain(
      `the search space of ${first.id} is another than when it was started (2 cells more):`,
    )
    expect(refused.stderr).toContain('grid.methods[0].rank[2]: nothing, now 4')
    const more = await answered('resume', first.id, '--extend')
    expect(more).toMatchObject({ id: first.id, counts: { cells: 6, done: 6, cached: 4 } })
    const left = await answered('sweep', 'ranks.yaml', '--dry-run')
    // The new rank's eight stages, and nothing else.
    expect(left.stages).toEqual({ computed: 0, cached: 29 + 8 })

    writeSweep(directory, `grid: { "methods[0].rank": [1, 4], ${targets} }`)
    expect((await command('resume', first.id, '--extend')).stderr).toContain('Undo the change, or start')
  })

  test('ends with what failed and why, leaves it on resume, and tries it again where that is asked', async () => {
    // With such a rate the loss is not finite after a step or two.
    writeSweep(
      directory,
      'grid: { "methods[0].optimizer.learningRate": [0.01, 1.0e+38] }\nset: { "methods[0].optimizer.name": sgd }',
    )
    const first = await answered('sweep', 'ranks.yaml')
    expect(first).toMatchObject({ status: 'completed', counts: { cells: 2, done: 1 } })
    expect(first.counts.failures).toMatchObject([
      { cell: 1, reason: expect.stringMatching(/no method came through/) as string },
    ])
    const page = readFileSync(join(fileURLToPath(first.report), 'index.html'), 'utf8')
    expect(page).toContain('no method came through')

    const failed = first.counts.failures[0]?.run ?? ''
    const writtenAt = () =>
      statSync(join(directory, '.zeroshift/store/runs', failed, 'report/report.json')).mtimeMs
    const before = writtenAt()
    const left = await command('resume', first.id)
    expect(left.code).toBe(1)
    expect(left.stdout).toContain('1 of 2 cells done, 1 of them cached, 1 failed')
    expect(writtenAt()).toBe(before)
    const again = await answered('resume', first.id, '--failed')
    expect(again.counts.failures).toHaveLength(1)
    expect(writtenAt()).toBeGreaterThan(before)
    expect(
      await command(
        'resume',
        planRuns(await answered('sweep', 'ranks.yaml', '--dry-run'))[0] ?? '',
        '--failed',
      ),
    ).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--failed: for sweeps alone') as string,
    })
  })

  test('that stops cells early records why, and what survives is what it is without', async () => {
    const grid = '{ "methods[0].rank": [1, 2, 4], "methods[0].lambda": [0.1, 10] }'
    writeSweep(directory, `grid: ${grid}\nhalving: { resource: "methods[0].steps", rungs: [3], factor: 3 }`)
    const halved = await answered('sweep', 'ranks.yaml')
    const { done, stopped } = halved.counts
    expect(done + stopped).toBe(6)
    expect(stopped).toBeGreaterThan(0)
    const report = (answer: { readonly report: string }) =>
      (
        JSON.parse(readFileSync(join(fileURLToPath(answer.report), 'report.json'), 'utf8')) as {
          readonly computed: {
            readonly runs: readonly {
              readonly id: string
              readonly digest?: string
              readonly missing?: string
            }[]
            readonly halving?: {
              readonly decisions: readonly { readonly rung: number; readonly decision: string }[]
            }
          }
        }
      ).computed
    const { runs, halving } = report(halved)
    const decided = (rung: number, decision: string) =>
      halving?.decisions.filter((one) => one.rung === rung && one.decision === decision).length
    expect([decided(0, 'promoted'), decided(0, 'stopped'), decided(1, 'ended')]).toEqual([
      done,
      stopped,
      done,
    ])
    expect(runs.filter(({ missing }) => missing === 'stopped early, at rung 1')).toHaveLength(stopped)

    writeSweep(directory, `grid: ${grid}`)
    const whole = report(await answered('sweep', 'ranks.yaml', '--store', join(directory, 'whole')))
    const survivors = runs.filter(({ digest }) => digest !== undefined)
    expect(survivors).toHaveLength(done)
    for (const { id, digest } of survivors)
      expect(whole.runs.find((run) => run.id === id)?.digest).toBe(digest)
  })

  test('is watched in a terminal, paused, widened, resumed and cancelled while it goes on', async () => {
    writeSweep(
      directory,
      `grid: { "methods[0].rank": [1, 2, 4, 8] }\nset: { training.epochs: 1500 }\nmaxParallel: 1`,
    )
    stack = zeroshift(directory, 'up', '--no-s3', '--no-mlflow', '--port', String(await freePort()))
    await stack.says('Ctrl-C stops it')
    const { id } = await answered('sweep', 'ranks.yaml', '--detach')
    const watching = terminal(directory, ['status', id, '--watch'], { columns: 100 })
    await watching.shows(/running {3}› rank 1 {2}\d+\/17 stages {2}train (original|gold).* \d+\/\d+/)
    expect(watching.screen()).toMatch(/cells {5}✓ ░{20} {2}0 of 4 done/)
    expect(watching.screen()).toMatch(/· 3 waiting/)
    expect(watching.screen()).toMatch(/workers {3}· \d workers?, 1 of them training/)
    for (const line of watching.screen().split('\n')) expect(line.length).toBeLessThanOrEqual(100)

    expect((await command('pause', id)).stdout).toBe(
      `${id} is paused, 4 cells to go. To go on: ./zeroshift resume ${id}\n`,
    )
    await watching.shows(/1 at a time · paused/)
    expect((await command('status')).stdout).toMatch(new RegExp(`^${id} +sweep +paused `, 'm'))
    await command('resume', id, '--detach', '--max-parallel', '3')
    await watching.shows(/3 at a time\n/)
    await watching.shows(/rank 4/)
    const { stdout } = await command('status', id, '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      id,
      state: 'running',
      progress: { maxParallel: 3, cells: 4, done: 0 },
    })
    await expect
      .poll(async () => runsIn((await command('runs', '--json', '--sweep', id)).stdout).length, {
        timeout: 60_000,
        interval: 1000,
      })
      .toBe(3)

    expect((await command('cancel', id)).stdout).toContain(`${id} is cancelled.`)
    await watching.shows(new RegExp(`${id}: cancelled`))
    await watching.ended
    // The server lists the end a moment later.
    const states = async () =>
      runsIn((await command('status', '--json')).stdout).map(({ id, type, state }) => [id, type, state])
    await expect.poll(states, { timeout: 60_000 }).toEqual([[id, 'sweep', 'cancelled']])
  })
})

/** What `runs --json` and `status --json` list. */
function runsIn(stdout: string): readonly RunListEntry[] {
  return (JSON.parse(stdout) as { readonly runs: readonly RunListEntry[] }).runs
}

/** The runs that a dry run names. */
function planRuns({ cells }: { readonly cells?: unknown }): readonly string[] {
  return (cells as { readonly run: string }[]).map(({ run }) => run)
}
