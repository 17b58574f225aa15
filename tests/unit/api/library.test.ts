import { join } from 'node:path'
import { beforeAll, expect, test, vi } from 'vitest'
import * as api from '../../../api/index.ts'
import type { RunInput } from '../../../experiment/records/run.ts'
import { stagesOf } from '../../../experiment/stages/stage-list.ts'
import { computeRun, tinyRun } from '../../support/computed-run.ts'
import { fileDirectory, testDirectory } from '../../support/directories.ts'
import { unchanged, writeFiles } from '../../support/plugins.ts'

let store: string
let run: RunInput
beforeAll(async () => {
  store = fileDirectory()
  run = await tinyRun(store)
  await computeRun(run)
})

const config: api.ExperimentConfig = {
  name: 'tiny',
  data: { name: 'digits' },
  split: { kind: 'class', classes: [3] },
  model: { name: 'mlp', hidden: [8] },
  training: { epochs: 1 },
  gold: { models: 1 },
  methods: [{ method: 'retrain' }],
}

test('the module that programs import exports what api/index.ts does', async () => {
  const entry = (await import('../../../api/entry.mjs')) as object
  expect(Object.keys(entry).sort()).toEqual(Object.keys(api).sort())
})

test('plan gives the stages of a config, and says which of them are stored', async () => {
  const planned = await api.plan(config, { store })
  expect(planned.id).toBe(run.run.id)
  expect(planned.stages.map(({ key }) => key)).toEqual(stagesOf(run.run.plan).map(({ key }) => key))
  expect(planned.stages.every(({ cached }) => cached)).toBe(true)
  const other = await api.plan(config, { store, overrides: ['training.epochs=2'] })
  expect(other.stages.some(({ cached }) => !cached)).toBe(true)
})

test('plan names every mistake of a config', async () => {
  const wrong = { ...config, training: { epochs: -1 }, model: { name: 'mlp' as const, hidden: [0] } }
  await expect(api.plan(wrong, { store })).rejects.toMatchObject({
    problems: [{ path: expect.stringContaining('model.hidden') as string }, { path: 'training.epochs' }],
  })
})

test('an object may name a plug-in', async () => {
  const folder = writeFiles(testDirectory(), { 'unchanged.ts': unchanged })
  vi.stubEnv('ZEROSHIFT_CACHE', join(folder, 'cache'))
  try {
    const methods = [
      { method: `${folder as `/${string}`}/unchanged.ts`, label: 'mine', strength: 3 },
    ] as const
    const { spec } = await api.plan({ ...config, methods }, { store })
    expect(spec.methods).toMatchObject([{ method: 'plugin', label: 'mine', options: { strength: 3 } }])
  } finally {
    vi.unstubAllEnvs()
  }
})

test('TypeScript knows the methods of Zeroshift and their options', () => {
  const rows: readonly api.MethodRow[] = [
    { method: 'finetune', epochs: 2, label: 'two epochs' },
    { method: 'external', command: 'python mine.py', files: ['mine.py'] },
    { method: './my-method.ts', anything: [1, 2] },
    { method: '@owner/methods', label: 'theirs' },
    // @ts-expect-error There is no such method.
    { method: 'finetun', epochs: 2 },
    // @ts-expect-error There is no such option.
    { method: 'finetune', epoch: 2 },
    // @ts-expect-error The number of epochs is no text.
    { method: 'finetune', epochs: '2' },
    // @ts-expect-error A label is a text.
    { method: './my-method.ts', label: 3 },
  ]
  expect(rows).toHaveLength(8)
})

test('run answers from the store, and reports every stage as cached', async () => {
  const states: string[] = []
  const result = await api.run(config, {
    store,
    onProgress: ({ stages }) => states.push(...stages.map(({ state }) => state)),
  })
  expect(result).toMatchObject({ id: run.run.id, computed: 0, cached: stagesOf(run.run.plan).length })
  expect(result.results.map(({ label }) => label)).toEqual(['retrain'])
  expect(new Set(states)).toEqual(new Set(['cached']))
})

test('readRun gives the manifests of all stages, and the table', async () => {
  const { stages, results, facts } = await api.readRun(store, run.run.id)
  expect(stages.map(({ manifest }) => manifest?.key)).toEqual(stagesOf(run.run.plan).map(({ key }) => key))
  expect(results[0]?.metrics.ua).toHaveProperty('value')
  expect(facts.classes).toHaveLength(10)
  await expect(api.readRun(store, 'other-00000000')).rejects.toThrow("has no run 'other-00000000'")
})
