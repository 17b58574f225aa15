import { spawnSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { presentPeft } from '../../infra/peft.mjs'
import { answerOf, zeroshiftWith, type Answer, type Running } from '../support/command.ts'
import { fileDirectory } from '../support/directories.ts'
import { buildWheel, environmentWith } from '../support/python-package.ts'

/** Runs the examples of the Python package with the launcher, as a user does. */
const python = presentPeft() ?? ''
const why = python === '' ? ' (skipped without PEFT: node infra/bootstrap.mjs --with-peft)' : ''
const source = fileURLToPath(new URL('../../python/examples', import.meta.url))

describe.skipIf(python === '')(`programs in Python${why}`, () => {
  let installed: string
  beforeAll(async () => {
    const directory = fileDirectory()
    installed = await environmentWith(
      await buildWheel(python, directory),
      python,
      join(directory, 'installed'),
    )
  })

  function newDirectory(): string {
    const directory = fileDirectory()
    cpSync(source, join(directory, 'examples'), { recursive: true })
    return directory
  }

  function start(directory: string, example: string, ...options: readonly string[]): Running {
    const env = { PATH: `${dirname(installed)}:${process.env.PATH ?? ''}` }
    return zeroshiftWith(env, directory, 'run', `examples/${example}.yaml`, '--json', ...options)
  }

  async function run(directory: string, example: string, ...options: readonly string[]): Promise<Answer> {
    const { stdout, stderr } = await start(directory, example, ...options).ended
    const answer = answerOf(stdout)
    expect(answer.status, stderr).toBe('completed')
    return answer
  }

  test('SCRUB in PyTorch agrees with the built-in one within the noise of the seeds', async () => {
    const directory = newDirectory()
    const { id } = await run(directory, 'scrub')
    const script = `
import json
from zeroshift import Run
table = Run("${id}", store="${directory}/.zeroshift/store").table()
print(json.dumps({label: rows.groupby("metric").value.agg(list).to_dict() for label, rows in table.groupby("label")}))
`
    const { stdout, stderr } = spawnSync(installed, ['-c', script], { encoding: 'utf8' })
    expect(stderr).toBe('')
    const figures = JSON.parse(stdout) as Record<string, Record<string, readonly number[]>>
    // 4.6 is the 99.5% quantile of Student's t with 4 degrees of freedom. The numbers of `allowed`
    // are added, since all seeds may have the same figure.
    const allowed = { ua: 0.3, ra: 0.3, ta: 0.3, activationForget: 0.02, activationRetained: 0.02 }
    for (const [metric, more] of Object.entries(allowed)) {
      const [own, theirs] = ['scrub', 'scrub in PyTorch'].map((label) =>
        statistics(figures[label]?.[metric] ?? []),
      )
      const noise = Math.sqrt(((own?.variance ?? NaN) + (theirs?.variance ?? NaN)) / 3)
      expect(Math.abs((own?.mean ?? NaN) - (theirs?.mean ?? NaN)), metric).toBeLessThan(4.6 * noise + more)
    }
    // Both forget, as far as the noise of the seeds.
    expect(statistics(figures.original?.ua ?? []).mean).toBeLessThan(5)
    expect(statistics(figures['scrub in PyTorch']?.ua ?? []).mean).toBeGreaterThan(85)
  })

  test('a forest of scikit-learn is original, gold and method by its logits alone', async () => {
    const { results } = await run(newDirectory(), 'sklearn_model')
    const figures = (label: string) => results.find((row) => row.method === label)?.metrics
    expect(figures('original')?.ra).toBeGreaterThan(99)
    expect(figures('original')?.ua).toBe(0)
    for (const label of ['retrain', 'a small forest anew']) expect(figures(label)?.ua).toBeGreaterThan(0)
  })

  test('a program that is killed together with Zeroshift is started again, and ends in the same bytes', async () => {
    const marker = `${process.pid}-killed`
    const options = ['seeds=1', 'gold.models=1', `methods[3].command=python scrub.py ${marker}`]
    const args = options.flatMap((set) => ['--set', set])
    const whole = await run(newDirectory(), 'scrub', ...args)
    const directory = newDirectory()
    const first = start(directory, 'scrub', ...args)
    await first.says('scrub in PyTorch')
    await vi.waitUntil(() => pidsOf(`python scrub.py ${marker}`).length > 0, {
      timeout: 60_000,
      interval: 20,
    })
    for (const pid of pidsOf(`python scrub.py ${marker}`)) process.kill(pid, 'SIGKILL')
    first.child.kill('SIGKILL')
    await first.ended
    const again = await run(directory, 'scrub', ...args)
    expect(again.digest).toBe(whole.digest)
    expect(again.stages.cached).toBeGreaterThan(0)
    expect(pidsOf(marker)).toEqual([])
  })
})

/** The processes whose command line contains a text. */
function pidsOf(text: string): readonly number[] {
  const { stdout } = spawnSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' })
  return stdout
    .split('\n')
    .flatMap((line) => (line.includes(text) && !line.includes('--set') ? Number.parseInt(line) : []))
}

function statistics(values: readonly number[]): { readonly mean: number; readonly variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1) }
}
