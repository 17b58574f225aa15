import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { createActivities } from '../../../activities/index.ts'
import { openArtifacts } from '../../../artifacts/artifacts.ts'
import { checkStore } from '../../../artifacts/check/check-store.ts'
import { planCopy } from '../../../artifacts/copy/plan-copy.ts'
import { writeCopy } from '../../../artifacts/copy/write-copy.ts'
import { blobPath } from '../../../artifacts/format/layout.ts'
import { deleteGarbage } from '../../../artifacts/removal/gc.ts'
import { takeInventory } from '../../../artifacts/removal/inventory.ts'
import { storeClock } from '../../../artifacts/store/store-clock.ts'
import { attachmentsOf } from '../../../experiment/plan/attachments.ts'
import { answerOf, zeroshiftWith } from '../../support/command.ts'
import { fileDirectory } from '../../support/directories.ts'
import { configWith, copyOfDelete, writeFiles } from '../../support/plugins.ts'
import { forFile } from '../../support/release.ts'
import { temporalServer, withWorker, type TestTemporal } from '../../support/temporal.ts'

/**
 * A run with a plug-in, of an author who has a store and a Temporal server in common with a worker,
 * and nothing else. The tests build on each other.
 */
let folder: string
let server: TestTemporal
beforeAll(async () => {
  folder = writeFiles(fileDirectory(), {
    'author/a.yaml': configWith(
      'method: retrain',
      '{ method: delete, epochs: 2 }',
      '{ method: ./methods/mine.ts, epochs: 2 }',
    ),
    'author/methods/mine.ts': copyOfDelete(),
  })
  server = await forFile(temporalServer())
})
afterEach(() => {
  vi.unstubAllEnvs()
})

const store = () => join(folder, 'store')
const artifacts = () => openArtifacts(store())

/** A command of somebody with a cache of their own. */
const command = (who: string, env: NodeJS.ProcessEnv, ...args: readonly string[]) =>
  zeroshiftWith(
    {
      TEMPORAL_ADDRESS: server.address,
      ZEROSHIFT_CACHE: join(folder, who, 'cache'),
      ...env,
    },
    join(folder, who),
    ...args,
  ).ended

const run = () => command('author', {}, 'run', 'a.yaml', '--json', '--store', store())

/** Works as a worker of another machine. */
function elsewhere<T>(allowsPrograms: boolean, work: () => Promise<T>): Promise<T> {
  vi.stubEnv('ZEROSHIFT_CACHE', join(folder, 'worker'))
  return withWorker(server.address, createActivities({ allowsPrograms }), work)
}

/** The only run of the store, and its bundle. */
async function stored() {
  const [id = ''] = await artifacts().runs()
  const record = await artifacts().run(id)
  if (!record) throw new Error('the store has no run')
  const [bundle] = attachmentsOf(record.plan)
  if (!bundle) throw new Error('the run has no plug-in')
  return { id, record, bundle }
}

/** Deletes all garbage, however young. */
async function collect() {
  const { store } = artifacts()
  return deleteGarbage(store, await takeInventory(store, (await storeClock(store)) + 1000), 0)
}

test('a dry run writes nothing to the store', async () => {
  const { code, stderr } = await command(
    'author',
    {},
    'run',
    'a.yaml',
    '--dry-run',
    '--json',
    '--store',
    store(),
  )
  expect([code, stderr]).toEqual([0, expect.any(String)])
  expect(readdirSync(folder)).not.toContain('store')
})

test('a worker that may not execute plug-ins of others refuses the stage, and the rest of the run goes on', async () => {
  const { code, stdout, stderr } = await elsewhere(false, run)
  expect([code, stderr]).toEqual([
    0,
    expect.stringContaining('this worker may not execute the plug-in my-delete'),
  ])
  const { failed = [] } = answerOf(stdout)
  expect(failed.map(({ title }) => title)).toContain('unlearn by my-delete')
  expect(failed.map(({ title }) => title)).not.toContain('unlearn by delete')
})

test('a worker that may execute them fetches the bundle, and computes the bytes of the method that it copies', async () => {
  const { code, stdout, stderr } = await elsewhere(true, run)
  expect([code, stderr]).toEqual([0, expect.any(String)])
  expect(answerOf(stdout)).toMatchObject({ status: 'completed', failed: [] })
  const { record, bundle } = await stored()
  const models = await Promise.all(
    record.plan.candidates.flatMap(({ unlearn }) => (unlearn ? [artifacts().manifest(unlearn)] : [])),
  )
  const [own, plugged] = models.map((manifest) => manifest?.outputs.model)
  expect(own).toBeDefined()
  expect(plugged).toEqual(own)
  expect(readdirSync(join(folder, 'worker/plugins/fetched'))).toEqual([`${bundle.sha256}.mjs`])
})

test('the report names the plug-in', async () => {
  const { id, bundle } = await stored()
  const page = readFileSync(join(store(), 'runs', id, 'report/index.html'), 'utf8')
  expect(page).toContain(`plug-in my-delete, SHA-256 ${bundle.sha256}`)
})

test('garbage collection, copies and checks know the bundle', async () => {
  const { id, bundle } = await stored()
  await collect()
  expect(await artifacts().holds([bundle])).toBe(true)

  const copy = openArtifacts(join(folder, 'copy'))
  await writeCopy(await planCopy(artifacts().store, copy.store, { ids: [id] }), { pages: true })
  expect(await copy.holds([bundle])).toBe(true)

  const checked = async () =>
    checkStore(copy, {
      readData: true,
      grace: 0,
      now: await storeClock(copy.store),
      reportFlaw: () => Promise.resolve(undefined),
    })
  expect((await checked()).damage).toEqual([])
  await copy.deleteBlob(bundle)
  expect((await checked()).damage).toEqual([
    expect.objectContaining({
      path: blobPath(bundle),
      what: 'the plug-in that the run needs is missing',
      runs: [id],
    }),
  ])
})

test('a published report is verified with its plug-in, if the user allows that', async () => {
  const { id } = await stored()
  const published = join(folder, 'published')
  const made = await command('author', {}, 'report', id, '--out', published, '--store', store())
  expect([made.code, made.stderr]).toEqual([0, ''])
  writeFiles(folder, { 'reader/cache/empty': '' })
  cpSync(published, join(folder, 'reader/report'), { recursive: true })
  await elsewhere(true, async () => {
    const refused = await command('reader', {}, 'verify', 'report', '--json')
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringContaining(
        'which comes with the report and which no config of yours has named on this machine',
      ),
    ])
    const { code, stdout, stderr } = await command(
      'reader',
      { ZEROSHIFT_ALLOW_EXTERNAL: '1' },
      'verify',
      'report',
      '--json',
    )
    expect([code, stderr]).toEqual([0, expect.any(String)])
    expect(answerOf(stdout)).toMatchObject({ id, status: 'verified' })
  })
})

test('the bundle goes with the last run that needs it', async () => {
  const { id, bundle } = await stored()
  const { code, stderr } = await command('author', {}, 'rm', id, '--delete', '--json', '--store', store())
  expect([code, stderr]).toEqual([0, expect.any(String)])
  await collect()
  expect(await artifacts().holds([bundle])).toBe(false)
})
