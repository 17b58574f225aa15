import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { snapshotOf, stateOf } from '../../../../activities/programs/packed-snapshot.ts'
import { ProgramReports } from '../../../../activities/programs/reported.ts'
import { withWorkingDirectory } from '../../../../activities/programs/working-directory.ts'
import { openArtifacts } from '../../../../artifacts/artifacts.ts'
import { Checkpoints } from '../../../../artifacts/progress/checkpoints.ts'
import { testDirectory } from '../../../support/directories.ts'

const reported = { step: 4, curve: [{ step: 4, loss: 0.5 }], figures: { brightness: 1.5 } }

describe('the state of a program', () => {
  // 0xff, four times, is a NaN whose bits must survive.
  test.each([[0], [1], [2], [3], [255]])(
    'keeps every byte through a checkpoint: %i more than NaNs',
    async (more) => {
      const packed = Uint8Array.from({ length: 40 + (more % 4) }, () => 0xff)
      const artifacts = openArtifacts(testDirectory())
      const checkpoints = new Checkpoints(artifacts, { kind: 'train', key: 'a'.repeat(64) })
      await checkpoints.save({ ...snapshotOf({ reported, checkpoint: 'one', packed }), seconds: 1 })
      const found = await checkpoints.newest(() => true)
      expect(found && stateOf(found)).toEqual({ reported, checkpoint: 'one', packed })
    },
  )

  test('at the end of the program comes after its last checkpoint', () => {
    const packed = new Uint8Array(8)
    const last = snapshotOf({ reported, checkpoint: 'one', packed })
    const end = snapshotOf({ reported, packed })
    expect(end.step).toBeGreaterThan(last.step)
    expect(stateOf(end)?.checkpoint).toBeUndefined()
  })
})

describe('what a program reports', () => {
  test('is its curve, its samples and the last value of each figure', () => {
    const reports = new ProgramReports()
    reports.add({ step: 1, steps: 3, loss: 2, metrics: { a: 1 } })
    reports.add({ samples: { forget: 7 } })
    reports.add({ step: 2, loss: 1, accuracy: 80, metrics: { a: 2, b: 3 }, samples: { retained: 5 } })
    expect(reports.latestProgress).toEqual({ step: 2, steps: 3, loss: 1 })
    expect(reports.all).toEqual({
      step: 2,
      curve: [
        { step: 1, loss: 2 },
        { step: 2, loss: 1, accuracy: 80 },
      ],
      samplesUsed: { retained: 5, forget: 7 },
      figures: { a: 2, b: 3 },
    })
  })

  test('up to a checkpoint is what a program that continues from there has reported', () => {
    const lines = [
      { step: 1, loss: 3 },
      { step: 2, loss: 2, checkpoint: 'two' },
      { step: 3, loss: 1 },
    ]
    const whole = new ProgramReports()
    for (const line of lines) whole.add(line)
    const resumed = new ProgramReports(whole.upTo('two'))
    resumed.add({ step: 3, loss: 1 })
    expect(resumed.all).toEqual(whole.all)
  })

  test('of a step that comes again replaces what was reported of it', () => {
    const reports = new ProgramReports()
    for (const loss of [3, 2]) reports.add({ step: 1, loss })
    expect(reports.all.curve).toEqual([{ step: 1, loss: 2 }])
  })
})

describe('the folder that a program works in', () => {
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  test('is removed afterwards, and with it those of processes that were killed, but no others', async () => {
    const cache = testDirectory()
    vi.stubEnv('ZEROSHIFT_CACHE', cache)
    const parent = join(cache, 'programs', hostname())
    const abandoned = ['2147483647-00000000-x', `${process.pid}-00000000-y`]
    for (const name of abandoned) {
      mkdirSync(join(parent, name), { recursive: true })
      writeFileSync(join(parent, name, 'file'), '')
    }
    await withWorkingDirectory(async (directory) => {
      writeFileSync(join(directory, 'file'), '')
      await withWorkingDirectory((other) => {
        expect(readdirSync(parent)).toHaveLength(2)
        expect(readdirSync(other)).toEqual([])
        return Promise.resolve()
      })
      expect(readdirSync(directory)).toEqual(['file'])
    })
    expect(readdirSync(parent)).toEqual([])
  })
})
