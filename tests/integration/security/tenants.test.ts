import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { WorkflowFailedError } from '@temporalio/client'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createActivities } from '../../../activities/index.ts'
import { openArtifacts } from '../../../artifacts/artifacts.ts'
import { digestOf } from '../../../common/canonical.ts'
import type { RunInput } from '../../../experiment/records/run.ts'
import type { Stage } from '../../../experiment/stages/stage.ts'
import type { SweepInput } from '../../../experiment/sweep/sweep.ts'
import { sweepType, workflowId, workflowType } from '../../../workflows/names.ts'
import { zeroshift } from '../../support/command.ts'
import { fileDirectory } from '../../support/directories.ts'
import { errorOf } from '../../support/errors.ts'
import { forFile } from '../../support/release.ts'
import { sampleRun } from '../../support/run.ts'
import { startWorker, temporalServer, type TestTemporal } from '../../support/temporal.ts'

/**
 * Users who may start workflows, with any input, are not trusted with data of others that the
 * worker can reach.
 */
let server: TestTemporal
let directory: string
const at = (name: string) => pathToFileURL(join(directory, name)).href
beforeAll(async () => {
  directory = fileDirectory()
  server = await forFile(temporalServer())
  // One worker, which is told to stay in `ours`, for all tests.
  const activities = createActivities({ allowed: { stores: [at('ours')] } })
  await forFile(startWorker(server.address, activities))
})
beforeEach(() => {
  for (const name of ['ours', 'theirs']) {
    rmSync(join(directory, name), { recursive: true, force: true })
    mkdirSync(join(directory, name))
  }
  writeFileSync(join(directory, 'theirs', 'secret'), 'theirs')
})

let count = 0
const input = (change: (input: RunInput) => RunInput = (same) => same): RunInput =>
  change(sampleRun({ name: `tenant-${count++}`, store: at('ours') }))
const withSettings = (settings: Partial<RunInput['settings']>) =>
  input((run) => ({ ...run, settings: { ...run.settings, ...settings } }))

/** Returns why a workflow fails that the worker takes. */
async function reasonOf(type: string, id: string, ...args: readonly unknown[]): Promise<string> {
  const running = server.client.workflow.execute(type, {
    workflowId: id,
    taskQueue: 'zeroshift',
    args: [...args],
  })
  let cause: Error = await errorOf(running, WorkflowFailedError)
  while (cause.cause instanceof Error) cause = cause.cause
  return cause.message
}
const ofRun = (run: RunInput) => reasonOf(workflowType, workflowId(run.run.id), run)

describe('a run', () => {
  test.each([
    ['whose store is somebody else’s', () => ({ store: at('theirs') }), /the store ".*theirs" is not among/],
    ['whose store leads out of its own', () => ({ store: `${at('ours')}/../theirs` }), /is not among/],
    ['whose store is an S3 bucket', () => ({ store: 's3://shared/theirs' }), /is not among/],
    [
      'whose data is somebody else’s',
      () => ({ dataDirectory: join(directory, 'theirs') }),
      /dataDirectory ".*" is not among/,
    ],
    [
      'whose checkpoint is somebody else’s',
      () => ({ modelDirectory: 's3://shared/theirs' }),
      /modelDirectory ".*" is not among/,
    ],
    ['whose data is on the web', () => ({ dataDirectory: 'https://host.org/x.zip' }), /is not among/],
  ])('%s is refused before anything is read', async (_, settings, message) => {
    expect(await ofRun(withSettings(settings()))).toMatch(message)
    expect(readdirSync(join(directory, 'theirs'))).toEqual(['secret'])
    expect(readdirSync(join(directory, 'ours'))).toEqual([])
  })

  test('in its own place is not', async () => {
    // The sample's data are made up: it comes as far as reading the real ones.
    expect(await ofRun(input())).toMatch(/not those that the run was planned with/)
    expect(existsSync(join(directory, 'ours', 'runs'))).toBe(true)
  })

  test('whose record names another place than it was started with is refused as it goes on', async () => {
    const run = withSettings({ dataDirectory: join(directory, 'theirs') })
    const { settings, run: record } = run
    await openArtifacts(at('ours')).putRun({ ...record, settings: { dataDirectory: settings.dataDirectory } })
    const cell = { cell: record.id, store: at('ours'), sweep: 'none' }
    expect(await reasonOf(workflowType, workflowId(record.id), cell)).toMatch(
      /dataDirectory ".*" is not among/,
    )
  })
})

test('a sweep whose store is somebody else’s is refused', async () => {
  const sweep: SweepInput = { id: 'theirs-1', store: at('theirs'), maxParallel: 1 }
  expect(await reasonOf(sweepType, 'zeroshift-theirs-1', sweep)).toMatch(/is not among/)
})

describe('a stage of a hand-made plan', () => {
  const forged = (change: (stage: Stage) => Partial<Stage>) =>
    input((run) => ({
      ...run,
      run: {
        ...run.run,
        plan: {
          ...run.run.plan,
          dataset: { ...run.run.plan.dataset, ...change(run.run.plan.dataset) } as never,
        },
      },
    }))

  test.each([
    ['leads out of its folder', () => ({ key: '../../../theirs' }), /is no name of something in a store/],
    ['is in no form of a key', () => ({ key: 'A'.repeat(200) }), /is no name of something in a store/],
    [
      'is that of another stage',
      () => ({ key: digestOf('another stage') }),
      /its key is not the digest of what it computes/,
    ],
    [
      'is that of a smaller one',
      ({ params }: Stage) => ({ params: { ...params, seed: 7 } as never }),
      /its key is not the digest/,
    ],
  ])('whose key %s is refused', async (_, change, message) => {
    expect(await ofRun(forged(change as never))).toMatch(message)
    expect(readdirSync(join(directory, 'theirs'))).toEqual(['secret'])
  })

  test('whose run has an id that leads elsewhere is refused', async () => {
    const run = input((made) => ({ ...made, run: { ...made.run, id: '../../theirs/secret' } }))
    expect(await reasonOf(workflowType, `hand-made-${count++}`, run)).toMatch(/expected the id of a run/)
  })
})

describe('the command', () => {
  test('takes the places as options, and refuses those that mean nothing', async () => {
    const { ended } = zeroshift(directory, 'worker', '--temporal', '127.0.0.1:1', '--allow-source', 's3://a')
    expect(await ended).toMatchObject({ code: 2 })
    expect((await ended).stderr).toMatch(/name the allowed stores, too, by --allow-store/)
  })
})
