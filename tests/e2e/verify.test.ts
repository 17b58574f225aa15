import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { plan } from '../../experiment/plan/plan.ts'
import { specSchema } from '../../experiment/spec/spec.ts'
import { inspectDataset } from '../../datasets/index.ts'
import { renderJson } from '../../report/json.ts'
import { judge } from '../../report/judgement/judge.ts'
import type { Published } from '../../report/published.ts'
import { answerOf, smallConfig, type Ended } from '../support/command.ts'
import { fileDirectory, testDirectory } from '../support/directories.ts'
import { zeroshiftHereWith } from '../support/in-process.ts'
import { sharedStack } from '../support/shared-stack.ts'

/**
 * A convolutional model, whose bytes depend on the number of threads, and two gold models for the
 * floor.
 */
const config = smallConfig
  .replace('{ name: mlp, hidden: [16] }', '{ name: cnn }')
  .replace('gold: { models: 1 }', 'gold: { models: 2 }')
const THREADS = 2
const withThreads = (threads: number) => ({ TF_NUM_INTRAOP_THREADS: String(threads) })

/** Its worker has the usual number of threads. */
const stack = sharedStack(() => withThreads(THREADS))

/** The directory in which the run was made. */
let origin: string
/** Somewhere else, with nothing but the report. */
let directory: string
let id: string

beforeAll(async () => {
  origin = fileDirectory()
  writeFileSync(join(origin, 'small.yaml'), config)
  const made = await stack.here(origin, 'run', 'small.yaml', '--json')
  id = answerOf(made.stdout).id
})
beforeEach(() => {
  directory = testDirectory()
  cpSync(join(origin, '.zeroshift/store/runs', id, 'report/report.json'), join(directory, 'report.json'))
})

/** For what is refused before any work: no server is there. */
const refused = (...args: string[]) => zeroshiftHereWith({}, directory, 'verify', ...args)
const left = (where = directory) => existsSync(join(where, '.zeroshift/verify', id))

function verificationOf({ stdout }: Ended) {
  const { verification } = answerOf(stdout)
  if (!verification) throw new Error(`expected a verification, found ${stdout}`)
  return verification
}

/** Changes the report, so that the command finds another one than was written. */
function edit(change: (report: Published) => void): void {
  const path = join(directory, 'report.json')
  const report = JSON.parse(readFileSync(path, 'utf8')) as Published
  change(report)
  writeFileSync(path, JSON.stringify(report))
}

test('a run is computed again from its report alone: every blob is the same, and nothing is left behind', async () => {
  const { code, stdout } = await stack.zeroshift(directory, 'verify', 'report.json').ended
  expect(stdout).toMatch(/train original +manifest +same +[0-9a-f]{12}\n +model +same +[0-9a-f]{12}\n/)
  expect(stdout).toContain('17 of 17 stages are the same; 13 of 13 blobs are the same bytes.')
  expect(stdout).toMatch(new RegExp(`\n${id}: the same bytes as reported\\.\n$`))
  expect(code).toBe(0)
  expect(left()).toBe(false)
  expect(existsSync(join(directory, '.zeroshift/store'))).toBe(false)
})

test('a run in the store is found by its id, and nothing that was computed before stands for it', async () => {
  const again = (...args: string[]) => stack.here(origin, 'verify', id, '--json', ...args)
  const kept = await again('--keep')
  expect(answerOf(kept.stdout)).toMatchObject({ status: 'verified', stages: { computed: 17, cached: 0 } })
  expect(verificationOf(kept)).toMatchObject({ verdict: 'same', blobs: { same: 13, of: 13 }, figures: [] })
  const verdict = join(origin, '.zeroshift/verify', id, 'verification.json')
  expect(JSON.parse(readFileSync(verdict, 'utf8'))).toEqual(verificationOf(kept))
  // Nor what an earlier verification kept.
  const { code, stdout } = await again()
  expect(code).toBe(0)
  expect(answerOf(stdout).stages).toEqual({ computed: 17, cached: 0 })
  expect(left(origin)).toBe(false)
})

test('a verification that was stopped goes on where it was', async () => {
  const first = stack.zeroshift(directory, 'verify', '.', '--json')
  await first.says('train original: done')
  first.child.kill('SIGINT')
  const stopped = await first.ended
  expect(stopped.code).toBe(1)
  expect(answerOf(stopped.stdout)).toMatchObject({ id, status: 'cancelled' })
  expect(left()).toBe(true)
  const second = await stack.here(directory, 'verify', '.', '--json')
  expect(second.code).toBe(0)
  expect(answerOf(second.stdout).stages.cached).toBeGreaterThanOrEqual(3)
  expect(verificationOf(second).verdict).toBe('same')
})

describe('other bytes', () => {
  /** Its worker has another number of threads. */
  const other = sharedStack(() => withThreads(THREADS - 1))

  test('with another number of threads are judged by the floor', async () => {
    const ended = await other.here(directory, 'verify', '.', '--json')
    expect(ended.code).toBe(3)
    expect(answerOf(ended.stdout).status).toBe('within-floor')
    const { verdict, environment, blobs, rows } = verificationOf(ended)
    expect(verdict).toBe('within-floor')
    expect(environment).toMatchObject([{ name: 'threads', recorded: ['2'], here: ['1'] }])
    expect(blobs?.same).toBeLessThan(blobs?.of ?? 0)
    expect(rows.map(({ label, within }) => [label, within])).toEqual([
      ['retrain', true],
      ['rfa', true],
      ['retrain, seed 2', true],
    ])
    expect(ended.stderr).toMatch(/^threads +2 +1$/m)
  })

  test('with the same number fail, near as they are', async () => {
    edit(({ clock }) => {
      for (const { tensorflow } of clock.environments) if (tensorflow) tensorflow.threads = THREADS - 1
    })
    const ended = await other.here(directory, 'verify', '.', '--json')
    expect(ended.code).toBe(1)
    expect(answerOf(ended.stdout).status).toBe('different')
    const { verdict, environment, rows } = verificationOf(ended)
    expect(verdict).toBe('differs')
    expect(environment).toEqual([])
    expect(rows.every(({ within }) => within)).toBe(true)
    expect(ended.stderr).toMatch(/differs +[0-9a-f]{12}, here [0-9a-f]{12}$/m)
  })
})

test('a blob that the report gives another hash is found', async () => {
  edit(({ computed, blobs }) => {
    const key = computed.stages.find(({ title }) => title === 'train gold')?.key ?? ''
    const model = blobs?.[key]?.model
    if (!model) throw new Error('expected the blob of the gold model')
    model.sha256 = 'cd'.repeat(32)
  })
  const ended = await stack.here(directory, 'verify', 'report.json', '--json')
  expect(ended.code).toBe(1)
  const { verdict, stages, blobs } = verificationOf(ended)
  expect(verdict).toBe('contradictory')
  expect(blobs).toEqual({ same: 12, of: 13 })
  const different = stages.filter((stage) => stage.blobs.some(({ same }) => !same))
  expect(different.map(({ title }) => title)).toEqual(['train gold'])
})

describe('exit code 2, before any work', () => {
  test('where the report was changed: both digests are named', async () => {
    edit(({ computed: { results } }) => {
      for (const { metrics } of results) metrics.ta = { value: 99 }
    })
    const { code, stdout, stderr } = await refused('report.json', '--json')
    expect(code).toBe(2)
    expect(answerOf(stdout).status).toBe('invalid')
    expect(stderr).toMatch(
      /^report\.json: this report was changed after it was written: .*[0-9a-f]{64}.*[0-9a-f]{64}/,
    )
    expect(existsSync(join(directory, '.zeroshift'))).toBe(false)
  })

  test('where the data here is another: the file is named', async () => {
    // One batch of CIFAR-10's layout, of a name of its own: class i is the i-th sample's.
    const batch = Buffer.concat(Array.from({ length: 40 }, (_, i) => Buffer.alloc(3073, i % 10)))
    const spec = specSchema.parse({
      name: 'own',
      data: { name: 'cifar10', train: ['own.bin'], test: ['own.bin'] },
      split: { kind: 'class', classes: [3] },
      model: { name: 'mlp' },
      training: { epochs: 1 },
      methods: [{ method: 'original' }],
    })
    const folder = join(directory, 'data')
    mkdirSync(folder)
    writeFileSync(join(folder, 'own.bin'), batch)
    const facts = await inspectDataset(spec.data, folder)
    const command = { config: 'own.yaml', overrides: [] }
    const run = { id: 'own', spec, facts, plan: plan(spec, facts), command }
    const input = { run, manifests: {}, failed: [] }
    const { json } = renderJson(input, [], judge(input))
    writeFileSync(join(directory, 'own.json'), json)
    batch[1] = 255
    writeFileSync(join(folder, 'own.bin'), batch)
    const { code, stderr } = await refused('own.json', '--data-directory', 'data')
    expect(code).toBe(2)
    expect(stderr).toMatch(/own\.bin: has \d+ bytes and the SHA-256 [0-9a-f]{64}; the report is of one with/)
  })

  test('where there is no such report', async () => {
    const { code, stderr } = await refused('nothing-00000000')
    expect(code).toBe(2)
    expect(stderr).toMatch(/no file and no folder "nothing-00000000", and no run of that id/)
  })
})
