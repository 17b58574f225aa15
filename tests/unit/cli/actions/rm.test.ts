import { jsonBytes } from '../../../../common/json.ts'
import { stageFolder } from '../../../../artifacts/format/layout.ts'
import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, expect, test, vi } from 'vitest'
import { openArtifacts, type Artifacts } from '../../../../artifacts/artifacts.ts'
import { FileStore } from '../../../../artifacts/store/file-store.ts'
import { withDeletionLock } from '../../../../cli/workspace/store-deletion.ts'
import { stagesOf } from '../../../../experiment/stages/stage-list.ts'
import { testDirectory } from '../../../support/directories.ts'
import { zeroshiftHere } from '../../../support/in-process.ts'
import { checkAll, missingStages, sampleSweep, storeRun } from '../../../support/library.ts'
import { sampleRun } from '../../../support/run.ts'

const [first, second, third] = [1, 2, 3].map((seed) => sampleRun({ name: `seed-${seed}`, seed }).run) as [
  ReturnType<typeof sampleRun>['run'],
  ReturnType<typeof sampleRun>['run'],
  ReturnType<typeof sampleRun>['run'],
]
const shared = stagesOf(first.plan).filter(({ key }) => stagesOf(second.plan).some((one) => one.key === key))
const only = stagesOf(second.plan).length - shared.length

/** To the second, as some stores keep dates. */
const now = Math.floor(Date.now() / 1000)
let directory: string
let store: string
let artifacts: Artifacts
beforeEach(async () => {
  directory = testDirectory()
  store = join(directory, 'store')
  artifacts = openArtifacts(store)
  for (const run of [first, second, third]) await storeRun(artifacts, run)
  await age(48)
})

/** Makes the files that are there so many hours old. */
async function age(hours: number, prefix = ''): Promise<void> {
  for (const { path } of await artifacts.store.list(prefix)) {
    const file = fileURLToPath(artifacts.store.locate(path))
    utimesSync(file, now - hours * 3600, now - hours * 3600)
  }
}
const paths = async () => (await artifacts.store.list('')).map(({ path }) => path)
const zeroshift = (...args: readonly string[]) => zeroshiftHere(directory, ...args, '--store', store)
async function answerOf(...args: readonly string[]) {
  const { code, stdout, stderr } = await zeroshift(...args, '--json')
  expect(stdout.trim().split('\n')).toHaveLength(1)
  return { code, stderr, ...(JSON.parse(stdout) as Record<string, unknown>) }
}

test('rm shows what goes and what it shares, and writes nothing; with --delete it goes', async () => {
  const before = await paths()
  const preview = await zeroshift('rm', second.id)
  expect(preview).toMatchObject({ code: 0, stderr: '' })
  expect(preview.stdout).toContain(`To be removed from ${store}:\n`)
  expect(preview.stdout).toMatch(
    new RegExp(`^${second.id} +run +seed-2 +\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d$`, 'm'),
  )
  expect(preview.stdout).toMatch(
    new RegExp(`^Needed by nothing else: ${only} stages and ${only} blobs, \\d`, 'm'),
  )
  expect(preview.stdout).toMatch(
    new RegExp(
      `^Shared with other runs, and kept: ${shared.length} stages, .*${first.id}, ${third.id}\\)`,
      'm',
    ),
  )
  expect(preview.stdout).toContain(`To remove it: ./zeroshift rm ${second.id} --delete --store`)
  expect(await paths()).toEqual(before)

  const { stdout } = await zeroshift('rm', second.id, '--delete')
  expect(stdout).toContain(`Removed from ${store}:`)
  expect(stdout).toContain(`Freed: ${only} stages and ${only} blobs, `)
  expect(await artifacts.runs()).toEqual([first.id, third.id].sort())
  for (const run of [first, third]) expect(await missingStages(artifacts, run)).toEqual([])
  expect((await checkAll(artifacts)).damage).toEqual([])
  expect(await answerOf('gc')).toMatchObject({ garbage: { stages: [], blobs: [] }, younger: { bytes: 0 } })

  expect(await answerOf('rm', second.id, '--delete')).toMatchObject({ code: 2, status: 'invalid' })
})

test('rm tells programs the same, and what is too young to be freed', async () => {
  await age(1)
  const counts = { stages: only, blobs: only }
  expect(await answerOf('rm', second.id)).toMatchObject({
    ...{ code: 0, deleted: false, sweeps: [], staying: [], busy: [], unknownRuns: [] },
    runs: [{ id: second.id, name: 'seed-2', date: new Date(1000 * (now - 3600)).toISOString() }],
    later: counts,
    shared: { stages: shared.length, runs: [first.id, third.id] },
  })
  expect(await answerOf('rm', second.id, '--delete')).toMatchObject({
    ...{ deleted: true, runs: [{ id: second.id }], freed: { stages: 0, blobs: 0 }, later: counts },
  })
  await age(48)
  const { garbage } = (await answerOf('gc', '--delete')) as unknown as { garbage: { blobs: string[] } }
  expect(garbage.blobs).toHaveLength(only)
})

test('rm leaves the cells of a sweep unless they are asked for, and says which stay', async () => {
  await artifacts.putSweep(sampleSweep('sweep-01234567', [first.id, second.id]))
  await artifacts.markOwn(first.id)
  expect(await answerOf('rm', second.id)).toMatchObject({
    code: 2,
    problems: [{ message: expect.stringContaining(`cell of the sweep sweep-01234567`) as string }],
  })
  expect((await zeroshift('rm', 'sweep-01234567')).stdout).toContain(
    'The 2 runs of the cells of sweep-01234567 stay; --cells takes them along.',
  )
  const { stdout } = await zeroshift('rm', 'sweep-01234567', '--cells')
  expect(stdout).toContain(`${first.id} stays: it was also started by itself.`)
  expect(await answerOf('rm', 'sweep-01234567', '--cells', '--delete')).toMatchObject({
    ...{ sweeps: [{ id: 'sweep-01234567' }], runs: [{ id: second.id }], staying: [{ id: first.id }] },
  })
  expect(await artifacts.sweeps()).toEqual([])
  expect(await artifacts.runs()).toEqual([first.id, third.id])
  expect((await checkAll(artifacts)).damage).toEqual([])
})

test('rm and gc leave a run alone whose stage has a lease that is alive', async () => {
  const lease = `${stageFolder(second.plan.original)}lease/`
  await artifacts.store.put(`${lease}000001.json`, jsonBytes({ activity: 'run/1', attempt: 1, beat: 3 }))
  const preview = await zeroshift('rm', second.id)
  expect(preview).toMatchObject({ code: 0 })
  expect(preview.stdout).toMatch(new RegExp(`${second.id} is being computed .*: --delete would refuse`))
  const before = await paths()
  const refused = await zeroshift('rm', second.id, '--delete')
  expect(refused).toMatchObject({ code: 2 })
  expect(refused.stderr).toMatch(
    new RegExp(`^${second.id} is being computed .*zeroshift cancel ${second.id}`),
  )
  expect(await paths()).toEqual(before)
  await age(47, `runs/${third.id}/`)
  expect(await answerOf('gc', '--keep-last', '1', '--delete')).toMatchObject({
    expired: [{ id: first.id }],
    busy: [second.id],
  })
  expect(await artifacts.runs()).toEqual([second.id, third.id])
  // A minute without a sign of life.
  await age(1 / 30, lease)
  expect(await zeroshift('rm', second.id, '--delete')).toMatchObject({ code: 0 })
})

test('gc removes runs by their dates only where that is asked, and lists them first', async () => {
  await age(24 * 40, `runs/${first.id}/`)
  await age(24 * 20, `runs/${second.id}/`)
  await age(0, `runs/${third.id}/`)
  const before = await paths()
  expect(await answerOf('gc')).toMatchObject({ garbage: { stages: [], blobs: [] } })
  const preview = await zeroshift('gc', '--keep-last', '1', '--keep-within', '30d')
  expect(preview.stdout).toMatch(
    new RegExp(
      'To be removed, not among the newest 1 or within 30d of the newest one:\\n' +
        `RUN +NAME +DATE +RUNS\\n${first.id} +seed-1 +[-\\d]+ [\\d:]+ +1\\n\\nUnused in [^]*` +
        '\\nTo delete it: ./zeroshift gc --delete --keep-last 1 --keep-within 30d --store ',
    ),
  )
  expect(await paths()).toEqual(before)
  await zeroshift('gc', '--keep-last', '1', '--keep-within', '30d', '--delete')
  expect(await artifacts.runs()).toEqual([second.id, third.id])
  expect(await answerOf('gc', '--keep-last', '1', '--delete')).toMatchObject({
    expired: [{ kind: 'run', id: second.id, name: 'seed-2' }],
    removedRuns: [second.id],
  })
  const kept = await zeroshift('gc', '--keep-last', '1', '--delete')
  expect(kept.stdout).toContain('No run is removed: each is among the newest 1.')
  expect(await artifacts.runs()).toEqual([third.id])
  expect(await missingStages(artifacts, third)).toEqual([])
  expect((await paths()).filter((path) => /^(blobs|stages)/.test(path))).toHaveLength(
    2 * stagesOf(third.plan).length,
  )
})

test.each([
  [['gc', '--keep-last', '0'], /--keep-last: expected a whole number from 1 on, found '0'/],
  [['gc', '--keep-last', '1.5'], /--keep-last: expected a whole number/],
  [['gc', '--keep-within', '0d'], /--keep-within: expected a time above 0 such as .*found '0d'/],
  [['gc', '--keep-within', '30'], /--keep-within: expected a time/],
  [['gc', '--keep-within', '2w', '--delete'], /--keep-within: expected a time/],
  [['rm', 'nothing-00000000', '--delete'], /no run and no sweep 'nothing-00000000'/],
  [['rm', 'nothing-00000000', '--grace', '1m'], /--grace: expected/],
  [['rm'], /missing required argument 'ids'/],
])('%j is refused, and nothing is deleted', async (args, message) => {
  const before = await paths()
  const { code, stderr } = await zeroshift(...args)
  expect(code).toBe(2)
  expect(stderr).toMatch(message)
  expect(await paths()).toEqual(before)
})

test('gc deletes nothing as long as a run has neither a record nor a report; rm takes that run', async () => {
  await artifacts.store.delete(`runs/${second.id}/run.json`)
  await artifacts.putBlob(new Uint8Array(3))
  await age(48)
  await artifacts.putBlob(new Uint8Array(5))
  const before = await paths()
  const listing = await zeroshift('gc')
  expect(listing).toMatchObject({ code: 0 })
  expect(listing.stdout).toContain(`Unused, as far as is known, in ${store} (2 runs):`)
  expect(listing.stdout).toMatch(new RegExp(`runs/${second.id}/run.json is not the record .*it is missing`))
  expect(listing.stdout).not.toContain('To delete it')
  const refused = await zeroshift('gc', '--delete')
  expect(refused).toMatchObject({ code: 2 })
  expect(refused.stderr).toContain(`./zeroshift rm ${second.id} --delete`)
  expect(await zeroshift('gc', '--keep-last', '1', '--delete')).toMatchObject({ code: 2 })
  expect(await paths()).toEqual(before)

  expect(await zeroshift('rm', second.id, '--delete')).toMatchObject({ code: 0 })
  const { garbage } = (await answerOf('gc', '--delete')) as unknown as { garbage: { blobs: string[] } }
  expect(garbage.blobs).toHaveLength(only + 1)
  for (const run of [first, third]) expect(await missingStages(artifacts, run)).toEqual([])
})

test('Ctrl-C stops what deletes before its next part, and lets go of the store', async () => {
  const stopped = withDeletionLock(artifacts.store, 'rm a --delete', (confirm) => {
    confirm()
    process.emit('SIGINT')
    confirm()
    return Promise.resolve()
  })
  await expect(stopped).rejects.toThrow('stopped half-way: the same command goes on with the rest')
  expect((await paths()).filter((path) => path.startsWith('maintenance/'))).toEqual([])
})

test('looking at a store that cannot be written to works, and deleting says why it does not', async () => {
  const refuse = () => Promise.reject(Object.assign(new Error('EROFS'), { code: 'EROFS' }))
  const written = (['put', 'putIfAbsent', 'delete'] as const).map((name) =>
    vi.spyOn(FileStore.prototype, name).mockImplementation(refuse),
  )
  try {
    for (const args of [['gc'], ['gc', '--keep-last', '1'], ['rm', second.id], ['check']]) {
      expect(await zeroshift(...args)).toMatchObject({ code: 0, stderr: '' })
      for (const write of written) expect(write).not.toHaveBeenCalled()
    }
    for (const args of [['gc'], ['gc', '--keep-last', '1'], ['rm', second.id]])
      expect(await zeroshift(...args, '--delete')).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/^the store .* cannot be written to: the disk is read-only/) as string,
      })
  } finally {
    for (const write of written) write.mockRestore()
  }
})

test('the command that deletes in a store says so to a second one', async () => {
  const { withStoreLock } = await import('../../../../artifacts/removal/store-lock.ts')
  await withStoreLock(
    artifacts.store,
    { command: 'gc --delete', times: { beatMs: 50, deadMs: 60_000 } },
    async () => {
      for (const args of [
        ['rm', second.id, '--delete'],
        ['gc', '--delete'],
        ['check', '--repair'],
      ])
        expect(await zeroshift(...args)).toMatchObject({
          code: 2,
          stderr: expect.stringMatching(/zeroshift gc --delete.* is deleting from the store/) as string,
        })
      // Looking takes no lock.
      for (const args of [['rm', second.id], ['gc'], ['check']])
        expect(await zeroshift(...args)).toMatchObject({ code: 0 })
    },
  )
  expect(await zeroshift('rm', second.id, '--delete')).toMatchObject({ code: 0 })
})

async function sizesOf(...args: readonly string[]) {
  const { stdout } = await zeroshift(...args, '--json')
  return (JSON.parse(stdout) as { bytes: { before: number; after: number } }).bytes
}

test('the bytes of the store before and after are those of its objects', async () => {
  const bytes = async () =>
    (await artifacts.store.list(''))
      .filter(({ path }) => path !== 'store.json')
      .reduce((sum, object) => sum + object.bytes, 0)
  const before = await bytes()
  const preview = await sizesOf('rm', second.id)
  expect(preview.before).toBe(before)
  const done = await sizesOf('rm', second.id, '--delete')
  expect(done).toEqual({ before, after: await bytes() })
  expect(preview).toEqual(done)
  expect((await zeroshift('rm', first.id)).stdout).toMatch(
    /^The store has .* kB, and .* without all of this\.$/m,
  )
})

test('du shows what a run has alone, and rm frees it', async () => {
  const { stdout: json } = await zeroshift('du', '--json')
  const { runs } = JSON.parse(json) as { runs: readonly { id: string; own: number }[] }
  const { before, after } = await sizesOf('rm', second.id)
  expect(runs.find(({ id }) => id === second.id)?.own).toBe(before - after)
  const { stdout } = await zeroshift('du')
  expect(stdout).toMatch(new RegExp(`^${second.id} +\\d.* k?B +\\d.* k?B$`, 'm'))
  expect(stdout).toMatch(/^KIND +STAGES +SIZE$/m)
})
