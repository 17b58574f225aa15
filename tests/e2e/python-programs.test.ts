import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
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
    installed = await environmentWith(await buildWheel(python, directory), python, join(directory, 'installed'))
  })

  /** Starts an example in a directory of its own. */
  function start(example: string, ...options: readonly string[]): Running & { readonly directory: string } {
    const directory = fileDirectory()
    const examples = join(directory, 'examples')
    mkdirSync(examples)
    cpSync(source, examples, { recursive: true })
    const env = { PATH: `${dirname(installed)}:${process.env.PATH ?? ''}` }
    const config = join(examples, `${example}.yaml`)
    return { ...zeroshiftWith(env, directory, 'run', config, '--json', ...options), directory }
  }

  async function run(example: string, ...options: readonly string[]): Promise<Answer & { store: string }> {
    const { ended, directory } = start(example, ...options)
    const { stdout, stderr } = await ended
    expect(stderr).not.toContain('failed')
    const answer = answerOf(stdout)
    expect(answer.status).toBe('completed')
    return { ...answer, store: join(directory, '.zeroshift', 'store') }
  }

  test('SCRUB in PyTorch agrees with the built-in one within the noise of the seeds', async () => {
    const { id, store } = await run('scrub')
    // For each metric: the difference of the means of both rows, and its standard error over the seeds.
    const script = `
from zeroshift import Run
table = Run("${id}", store="${store}").table()
rows = table.pivot_table("value", ["metric", "seed"], "label")
difference = (rows["scrub in PyTorch"] - rows["scrub"]).unstack("seed")
noise = (rows["retrain, seed 2"] - rows["retrain"]).unstack("seed").abs()
for metric in ("ua", "ra", "ta", "activationForget", "activationRetained"):
    print(metric, float(abs(difference.loc[metric].mean())), float(noise.loc[metric].max()))
print("scrub moved", float((rows["scrub in PyTorch"] - rows["original"])["activationForget"].abs().mean()))
`
    const { stdout, stderr } = spawnSync(installed, ['-c', script], { encoding: 'utf8' })
    expect(stderr).toBe('')
    console.log(stdout)
  })
})
