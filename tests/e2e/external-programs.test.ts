import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import { garbage } from '../../artifacts/removal/gc.ts'
import { takeInventory } from '../../artifacts/removal/inventory.ts'
import { answerOf, zeroshiftWith, type Answer } from '../support/command.ts'
import { fileDirectory, testDirectory } from '../support/directories.ts'
import { zeroshiftHereWith } from '../support/in-process.ts'
import { sharedStack } from '../support/shared-stack.ts'

const stack = sharedStack()
const programs = fileURLToPath(new URL('../fixtures/programs/node', import.meta.url))

/** The last row leaves other bytes each time. */
const ofExternalModel = `
name: centroids
data: { name: digits }
split: { kind: class, classes: [3] }
model: { name: external, command: node centroids.mjs, predict: node centroids.mjs, files: ['*.mjs'], environment: node }
gold: { models: 1 }
shadow: { models: 8 }
methods:
  - method: retrain
  - { method: external, label: recompute, command: node centroids.mjs, predict: node centroids.mjs, files: ['*.mjs'], options: { steps: 2 } }
  - method: external
    label: dice
    command: node centroids.mjs && date +%N > "$(dirname "$ZEROSHIFT_TASK")/output/dice"
    files: ['*.mjs']
    options: { keep: true }
    result: logits
`
const ofBuiltInModel = `
name: shrink
data: { name: digits }
split: { kind: class, classes: [3] }
model: { name: mlp, hidden: [16] }
training: { epochs: 2 }
gold: { models: 1 }
relearn: { maxSteps: 5 }
methods:
  - method: retrain
  - { method: external, label: shrink, command: node shrink.mjs, files: [shrink.mjs, task.mjs], options: { steps: 3 } }
  - { method: external, label: outputs, command: node centroids.mjs, files: [centroids.mjs, task.mjs], result: logits }
`

/** A directory with a config and the programs that it names. */
function withPrograms(directory: string, config: string): string {
  cpSync(programs, directory, { recursive: true })
  writeFileSync(join(directory, 'config.yaml'), config)
  return directory
}

const storeIn = (directory: string) => join(directory, '.zeroshift/store')

/** The figures of a run's rows, by label. */
const rowsOf = ({ results }: Answer) =>
  new Map(results.map(({ method, metrics }) => [method, metrics] as const))

describe('an experiment whose models are all of a program', () => {
  let directory: string
  let answer: Answer

  beforeAll(async () => {
    directory = withPrograms(fileDirectory(), ofExternalModel)
    const dry = await zeroshiftHereWith({}, directory, 'run', 'config.yaml', '--dry-run')
    expect(dry.code).toBe(0)
    expect(existsSync(storeIn(directory))).toBe(false)
    const { code, stdout } = await stack.here(directory, 'run', 'config.yaml', '--json')
    expect(code).toBe(0)
    answer = answerOf(stdout)
  })

  test('has every figure of outputs, and the report marks its rows', () => {
    const rows = rowsOf(answer)
    expect(rows.get('recompute')?.ua).toBe(100)
    expect(rows.get('dice')?.ua).toBeLessThan(50)
    const report = readFileSync(join(storeIn(directory), 'runs', answer.id, 'report/report.md'), 'utf8')
    expect(report).toMatch(/\| recompute .*◊ \|/)
    expect(report).toContain('An external program computed the model.')
    expect(report).toMatch(/LiRA/)
    expect(report).toContain('| Model | mean brightness |')
    expect(report).toMatch(/\| recompute \| 0\.\d+ \|/)
  })

  test('is answered from the store the second time, and its programs are kept by gc and check', async () => {
    const again = await zeroshiftHereWith({}, directory, 'run', 'config.yaml', '--json')
    expect(answerOf(again.stdout)).toMatchObject({ stages: { computed: 0 }, digest: answer.digest })
    const { store } = openArtifacts(storeIn(directory))
    const { stages, blobs } = garbage(await takeInventory(store), -Infinity)
    expect([...stages, ...blobs].map(({ path }) => path)).toEqual([])
    const checked = await zeroshiftHereWith({}, directory, 'check', '--read-data')
    expect(checked.code).toBe(0)
  })

  test('verify needs the store alone, and names the program whose second run gives other bytes', async () => {
    const elsewhere = testDirectory()
    const other = join(elsewhere, 'copied')
    const copied = await zeroshiftHereWith({}, directory, 'store', 'copy', storeIn(directory), other)
    expect(copied.code).toBe(0)
    const verified = await stack.here(elsewhere, 'verify', answer.id, '--store', other, '--json')
    expect(verified.code).toBe(1)
    const found = answerOf(verified.stdout)
    expect(found.notReproducible).toEqual(['unlearn by dice'])
    const same = new Map(found.verification?.stages.map(({ title, same }) => [title, same]))
    expect(same.get('train original')).toBe(true)
    expect(same.get('unlearn by recompute')).toBe(true)
    expect(same.get('train shadow 8')).toBe(true)
  })
})

test('a program may unlearn a built-in model: weights have every figure, outputs those of outputs', async () => {
  const directory = withPrograms(testDirectory(), ofBuiltInModel)
  const { code, stdout } = await stack.here(directory, 'run', 'config.yaml', '--json')
  expect(code).toBe(0)
  const { id, failed } = answerOf(stdout)
  expect(failed).toEqual([])
  const folder = join(storeIn(directory), 'runs', id, 'report')
  const { computed } = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as {
    readonly computed: { readonly relearning: unknown }
  }
  const text = JSON.stringify(computed)
  expect(text).toContain('only the outputs of this model are known')
  expect(readFileSync(join(folder, 'report.md'), 'utf8')).toMatch(/\| shrink .*◊ \|/)
})

test('a sweep varies the options of a program, whose files are in the folder of the base', async () => {
  const directory = withPrograms(join(testDirectory(), 'base'), ofBuiltInModel)
  const sweep = join(directory, '../sweep.yaml')
  writeFileSync(sweep, 'name: steps\nbase: base/config.yaml\ngrid: { "methods[1].options.steps": [1, 3] }\n')
  const options = ['--store', storeIn(directory), '--json']
  const { stdout, stderr } = await stack.here(directory, 'sweep', sweep, ...options)
  const { cells } = answerOf(stdout)
  expect(cells, stderr).toMatchObject({ cells: 2, done: 2, failures: [] })
  // The runs of the sweep have the stages of a run of their own.
  const alone = await zeroshiftHereWith({}, directory, 'run', 'config.yaml', ...options)
  expect(answerOf(alone.stdout)).toMatchObject({ stages: { computed: 0 } })
})

test('a worker that does not allow programs fails the run, and says what would allow them', async () => {
  const directory = withPrograms(testDirectory(), ofExternalModel)
  const env = { ZEROSHIFT_ALLOW_EXTERNAL: '0' }
  const { code, stderr } = await zeroshiftWith(env, directory, 'run', 'config.yaml').ended
  expect(code).toBe(1)
  expect(stderr).toContain('executes an external program, which this worker does not allow')
  expect(stderr).toContain('--allow-external')
})

test('a failing program is an error with its last words, and the other rows are there', async () => {
  const config = ofBuiltInModel.replace('node shrink.mjs', 'echo no such luck >&2; exit 3')
  const directory = withPrograms(testDirectory(), config)
  rmSync(join(directory, 'shrink.mjs'))
  writeFileSync(join(directory, 'shrink.mjs'), '')
  const { stdout } = await stack.here(directory, 'run', 'config.yaml', '--json')
  const { failed, results } = answerOf(stdout)
  expect(failed).toEqual([
    { title: 'unlearn by shrink', reason: expect.stringContaining('no such luck') as string },
  ])
  expect(results.map(({ method }) => method)).toContain('outputs')
})
