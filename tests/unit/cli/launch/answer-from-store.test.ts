import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { openArtifacts } from '../../../../artifacts/artifacts.ts'
import { answerFromStore, mayAnswerFromStore } from '../../../../cli/launch/answer-from-store.ts'
import { plan } from '../../../../experiment/plan/plan.ts'
import type { RunInput, RunRecord } from '../../../../experiment/records/run.ts'
import { stagesOf } from '../../../../experiment/stages/stage-list.ts'
import { computeRun, tinyRun } from '../../../support/computed-run.ts'
import { fileDirectory, testDirectory } from '../../../support/directories.ts'
import { captureOutput } from '../../../support/output.ts'

/** A store with a run that a worker has computed, of which every test has a copy. */
let computed: string
beforeAll(async () => {
  computed = fileDirectory()
  await computeRun(await tinyRun(computed))
})

let store: string
let input: RunInput
beforeEach(async () => {
  store = testDirectory()
  cpSync(computed, store, { recursive: true })
  input = await tinyRun(store)
})
afterEach(() => {
  vi.unstubAllEnvs()
})

/** Answers the run. Returns the outcome and the lines that were shown. */
async function answered(run: RunInput = input) {
  const output = captureOutput('stdout')
  const outcome = await answerFromStore(run, { out: process.stdout })
  return { outcome, lines: output.text.trimEnd().split('\n') }
}

const runFile = (name: string) => join(store, 'runs', input.run.id, name)
const files = ['run.json', 'own.json', 'report/report.json', 'report/report.md', 'report/index.html']
const contents = () => files.map((name) => readFileSync(runFile(name), 'utf8'))

describe('a run whose stages are all in the store', () => {
  test('is answered with all stages as cached, and shows them', async () => {
    const { outcome, lines } = await answered()
    const stages = stagesOf(input.run.plan)
    expect(outcome).toMatchObject({
      status: 'completed',
      notes: [],
      result: { id: input.run.id, computed: 0, cached: stages.length, stageSeconds: 0, failed: [] },
    })
    expect(lines).toEqual(stages.map(({ title }) => `${title}: cached`))
  })

  test.each([
    ['that has a report', () => undefined],
    ['of which another run computed the stages', () => rmSync(join(store, 'runs'), { recursive: true })],
    ['whose report is damaged', () => writeFileSync(runFile('report/index.html'), 'other')],
  ])('%s gets the record and the report that the workflow writes', async (_, change) => {
    const before = contents()
    change()
    expect((await answered()).outcome?.status).toBe('completed')
    expect(contents()).toEqual(before)
  })
})

describe('a workflow is needed', () => {
  const manifestOf = (kind: string) => {
    const { key } = stagesOf(input.run.plan).find((stage) => stage.kind === kind) ?? { key: '' }
    return join(store, 'stages', kind, key, 'manifest.json')
  }
  const blobOf = async (kind: 'train' | 'split') => {
    const stage = stagesOf(input.run.plan).find((one) => one.kind === kind)
    const manifest = stage && (await openArtifacts(input.settings.store).manifest(stage))
    const { sha256 = '' } = Object.values(manifest?.outputs ?? {})[0] ?? {}
    return join(store, 'blobs', 'sha256', sha256.slice(0, 2), sha256)
  }
  const editRecord = (edit: (record: RunRecord) => object) => {
    const record = JSON.parse(readFileSync(runFile('run.json'), 'utf8')) as RunRecord
    writeFileSync(runFile('run.json'), JSON.stringify(edit(record)))
  }

  test.each<[string, () => void | Promise<void>]>([
    ['if the last stage is missing', () => rmSync(manifestOf('compare'))],
    ['if an earlier stage is missing', () => rmSync(manifestOf('attack'))],
    ['if a manifest is damaged', () => writeFileSync(manifestOf('train'), '{}')],
    ['if a blob is missing', async () => rmSync(await blobOf('train'))],
    ['if a blob is cut off', async () => truncateSync(await blobOf('split'), 1)],
    [
      'if an earlier workflow of the run has not ended',
      () => editRecord(({ failed: _, ...record }) => record),
    ],
    ['if the record of the run is damaged', () => writeFileSync(runFile('run.json'), '{')],
    [
      'if the report cannot be written',
      () => {
        rmSync(runFile('report'), { recursive: true })
        writeFileSync(runFile('report'), '')
      },
    ],
  ])('%s', async (_, change) => {
    await change()
    expect((await answered()).outcome).toBeUndefined()
  })

  test('if the code of a stage has changed since it was computed', async () => {
    const { run, settings } = input
    const planned = plan(run.spec, run.facts, { train: 'f'.repeat(64) })
    expect((await answered({ run: { ...run, plan: planned }, settings })).outcome).toBeUndefined()
  })

  test('and the record stays if a stage is missing', async () => {
    const [record] = contents()
    rmSync(manifestOf('compare'))
    await answered()
    expect(contents()[0]).toBe(record)
  })
})

describe('before the run is planned', () => {
  const whenRequested = new Promise<void>(() => undefined)
  const own = {
    isOwn: true,
    interruption: { requested: () => false, whenRequested, onRequest: vi.fn(), off: vi.fn() },
  }

  test('a run with a server of its own and a store with results may be answered', async () => {
    expect(await mayAnswerFromStore(input.settings, {}, own)).toBe(true)
  })

  test.each<[string, () => Parameters<typeof mayAnswerFromStore>]>([
    ['the server is another one', () => [input.settings, {}, { ...own, isOwn: false }]],
    ['the command does not wait for the run', () => [input.settings, { detach: true }, own]],
    [
      'the run is tracked',
      () => [{ ...input.settings, tracking: { uri: 'http://127.0.0.1:5000' } }, {}, own],
    ],
    [
      'the command was interrupted',
      () => [input.settings, {}, { ...own, interruption: { ...own.interruption, requested: () => true } }],
    ],
    ['the store is empty', () => [{ store: pathToFileURL(testDirectory()).href }, {}, own]],
    [
      'the places of the worker are restricted',
      () => {
        vi.stubEnv('ZEROSHIFT_ALLOWED_STORES', '/')
        return [input.settings, {}, own]
      },
    ],
  ])('a workflow is needed if %s', async (_, given) => {
    expect(await mayAnswerFromStore(...given())).toBe(false)
  })
})
