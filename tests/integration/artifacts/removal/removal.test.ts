import { randomUUID } from 'node:crypto'
import { beforeAll, expect, test, vi } from 'vitest'
import { openArtifacts } from '../../../../artifacts/artifacts.ts'
import { deleteGarbage } from '../../../../artifacts/removal/gc.ts'
import { takeInventory } from '../../../../artifacts/removal/inventory.ts'
import { readNotes } from '../../../../artifacts/removal/removal-notes.ts'
import { planRemoval } from '../../../../artifacts/removal/plan-removal.ts'
import { remove } from '../../../../artifacts/removal/remove.ts'
import { storeClock } from '../../../../artifacts/store/store-clock.ts'
import { stagesOf } from '../../../../experiment/stages/stage-list.ts'
import { fileDirectory } from '../../../support/directories.ts'
import { zeroshiftHere } from '../../../support/in-process.ts'
import { checkAll, missingStages, sampleSweep, storeRun } from '../../../support/library.ts'
import { forFile } from '../../../support/release.ts'
import { sampleRun } from '../../../support/run.ts'
import { s3Place } from '../../../support/s3.ts'
import { s3Proxy } from '../../../support/s3-proxy.ts'
import { withStoreLock } from '../../../../artifacts/removal/store-lock.ts'

/** The life of a store on a real S3 server, whose dates have no more than a second. */

let place: Awaited<ReturnType<typeof s3Place>>
let directory: string
beforeAll(async () => {
  place = await forFile(s3Place())
  directory = fileDirectory()
})

const emptyStore = () => openArtifacts(`${place.url}/${randomUUID()}`)
const [first, second, third] = [1, 2, 3].map((seed) => sampleRun({ seed }).run) as [
  ReturnType<typeof sampleRun>['run'],
  ReturnType<typeof sampleRun>['run'],
  ReturnType<typeof sampleRun>['run'],
]

test('a sweep and its cells are removed, and what only they needed is freed once it is old', async () => {
  const artifacts = emptyStore()
  const { store } = artifacts
  for (const run of [first, second, third]) await storeRun(artifacts, run)
  await artifacts.putSweep(sampleSweep('sweep-01234567', [second.id, third.id]))
  const count = async () => (await store.list('stages/')).length

  const young = await zeroshiftHere(
    directory,
    ...['rm', 'sweep-01234567', '--cells', '--delete', '--json', '--store', store.url],
  )
  expect(young).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(young.stdout)).toMatchObject({
    ...{ deleted: true, sweeps: [{ id: 'sweep-01234567' }], freed: { stages: 0, bytes: 0 } },
    runs: [{ id: second.id }, { id: third.id }],
  })
  expect(await artifacts.runs()).toEqual([first.id])
  const before = await count()

  // As a day later by the server's clock.
  const later = (await storeClock(store)) + 25 * 3_600_000
  const { stages } = await deleteGarbage(store, await takeInventory(store, later), 24 * 3_600_000)
  expect(await count()).toBe(before - stages.length)
  expect(await count()).toBe(stagesOf(first.plan).length)
  expect(await missingStages(artifacts, first)).toEqual([])
  expect((await checkAll(artifacts)).damage).toEqual([])
  const left = (await store.list('')).map(({ path }) => path.split('/')[0])
  expect([...new Set(left)].sort()).toEqual(['blobs', 'runs', 'stages', 'store.json'])
})

test('what was needed is freed at once where it is old, and other runs keep what they share', async () => {
  const artifacts = emptyStore()
  const { store } = artifacts
  for (const run of [first, second]) await storeRun(artifacts, run)
  const inventory = await takeInventory(store, (await storeClock(store)) + 25 * 3_600_000)
  const removal = planRemoval(inventory, [second.id], { cells: false, notes: await readNotes(store) })
  const { runs, freed } = await withStoreLock(store, { command: 'rm' }, (confirm) =>
    remove(store, inventory, removal, { grace: 24 * 3_600_000, confirm }),
  )
  expect(runs).toEqual([second.id])
  expect(freed.now.stages.length).toBeGreaterThan(0)
  expect((await store.list('stages/')).length).toBe(stagesOf(first.plan).length)
  expect(await missingStages(artifacts, first)).toEqual([])
  expect(await store.list('maintenance/')).toEqual([])
})

test('of two commands at once one deletes, and a killed one is overtaken', async () => {
  const { store } = emptyStore()
  const times = { beatMs: 100, deadMs: 2_000 }
  let working = 0
  const answers = await Promise.allSettled(
    ['gc --delete', 'rm a'].map((command) =>
      withStoreLock(store, { command, times }, async () => {
        expect(++working).toBe(1)
        await storeClock(store)
        working--
      }),
    ),
  )
  expect(answers.map(({ status }) => status)).toContain('fulfilled')
  const dead = { id: randomUUID(), command: 'gc --delete', host: 'elsewhere', pid: 1, beat: 3 }
  await store.put('maintenance/000004.json', new TextEncoder().encode(JSON.stringify(dead)))
  const waited = vi.fn()
  await withStoreLock(store, { command: 'rm a', times, onWait: waited }, () => Promise.resolve())
  expect(waited).toHaveBeenCalledWith('`zeroshift gc --delete` (process 1 on elsewhere)')
  expect(await store.list('maintenance/')).toEqual([])
})

test('with credentials that may only read, listing works', async () => {
  const artifacts = emptyStore()
  for (const run of [first, second]) await storeRun(artifacts, run)
  const asked: string[] = []
  const proxy = await s3Proxy(process.env.AWS_ENDPOINT_URL_S3 ?? '', ({ method }) => {
    asked.push(method)
    return method === 'GET' || method === 'HEAD' ? {} : { answer: { status: 403, code: 'AccessDenied' } }
  })
  vi.stubEnv('AWS_ENDPOINT_URL_S3', proxy.url)
  try {
    for (const args of [['gc'], ['gc', '--keep-last', '1'], ['rm', second.id]])
      expect(await zeroshiftHere(directory, ...args, '--store', artifacts.store.url)).toMatchObject({
        ...{ code: 0, stderr: '' },
      })
    expect(new Set(asked)).toEqual(new Set(['GET']))
    expect(
      await zeroshiftHere(directory, 'rm', second.id, '--delete', '--store', artifacts.store.url),
    ).toMatchObject({ code: 2 })
  } finally {
    vi.unstubAllEnvs()
    await proxy.close()
  }
  expect(await artifacts.runs()).toEqual([first.id, second.id].sort())
})
