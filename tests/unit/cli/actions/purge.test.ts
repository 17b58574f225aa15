import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { openArtifacts, type Artifacts } from '../../../../artifacts/artifacts.ts'
import { blobPath, manifestPath, outcomesPath, stageFolder } from '../../../../artifacts/format/layout.ts'
import { ledgersIn, putDeletion, putLedger, putRequest } from '../../../../artifacts/stored-ledgers.ts'
import { canonicalJson, sha256 } from '../../../../common/canonical.ts'
import type { Purge } from '../../../../experiment/records/purge.ts'
import { stagesOf } from '../../../../experiment/stages/stage-list.ts'
import { newSigningKey, privatePem } from '../../../../signatures/keys.ts'
import { madeLedger } from '../../../support/deletions.ts'
import { testDirectory } from '../../../support/directories.ts'
import { zeroshiftHere } from '../../../support/in-process.ts'
import { checkAll, missingStages, storeRun } from '../../../support/library.ts'
import {
  madeLedgerRecord,
  modelInUse,
  pixels,
  steps,
  storePixels,
  storePurgeable,
} from '../../../support/purged-ledger.ts'
import { sampleRun } from '../../../support/run.ts'
import { record, request } from '../../experiment/ledger/ledgers.ts'

let directory: string
let artifacts: Artifacts
beforeEach(async () => {
  directory = testDirectory()
  artifacts = openArtifacts(join(directory, 'store'))
  await storePurgeable(artifacts)
})

const here = (...args: readonly string[]) => zeroshiftHere(directory, ...args, '--store', 'store')
const recordFile = () => join(directory, 'store', 'ledgers', madeLedger, '000002.purge.json')

async function purged(...args: readonly string[]): Promise<Purge & { readonly dryRun: boolean }> {
  const { code, stdout, stderr } = await here('purge', madeLedger, '--json', ...args)
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout) as Purge & { readonly dryRun: boolean }
}

/** The contents of all files in the directory of the store, by their paths. */
function contents(): ReadonlyMap<string, string> {
  const root = join(directory, 'store')
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return new Map(
    files
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, readFileSync(path, 'latin1')]),
  )
}

const filesWithPixels = () => [...contents()].flatMap(([path, text]) => (text.includes(pixels) ? [path] : []))

test('no file of the store has the forgotten pixels or the bytes of a deleted object', async () => {
  const unfinished = steps[0]?.plan.candidates.at(-1)?.model ?? { kind: 'train', key: '' }
  const state = Buffer.from(`${pixels} in a state`)
  await artifacts.store.delete(manifestPath(unfinished))
  await artifacts.store.delete(blobPath({ sha256: sha256(`${pixels} in ${unfinished.key}`), bytes: 0 }))
  await artifacts.store.put(`${stageFolder(unfinished)}checkpoints/1`, state)
  const before = filesWithPixels().length
  expect(before).toBeGreaterThan(20)

  const { deleted, kept, notDeleted, ...rest } = await purged()
  expect(filesWithPixels()).toEqual([])
  const digests = new Set([...contents().values()].map((text) => sha256(Buffer.from(text, 'latin1'))))
  expect(deleted.filter((one) => digests.has(one.sha256))).toEqual([])
  const models = ['original', 'model 1'].map((text) => sha256(text))
  expect(deleted.map((one) => one.sha256)).toEqual(expect.arrayContaining([...models, sha256(state)]))
  expect(kept).toEqual([
    { sha256: sha256(modelInUse), bytes: modelInUse.length, kind: 'unlearn', inUse: true, neededBy: [] },
  ])
  expect(rest).toMatchObject({ dryRun: false, number: 2, requests: [1, 2] })
  expect(notDeleted.join()).toMatch(/source files.*backups.*MLflow/)
  expect(deleted.find((one) => one.sha256 === sha256(state))?.kind).toBe('unfinished')
})

test('the margins of forgotten samples in the reports of the steps are deleted, and no other file of a report', async () => {
  const [step] = steps
  const outside = sampleRun({ name: 'outside', seed: 9 }).run
  await storeRun(artifacts, outside)
  if (!step) throw new Error('not reached')
  const outcomes = '{"forgetMargins":[1.5]}'
  for (const { id } of [step, outside])
    await artifacts.putReport(id, { 'index.html': '<p>figures of sets</p>', 'outcomes.json': outcomes })
  const planned = await purged('--dry-run')
  expect(await artifacts.store.get(outcomesPath(step.id))).toBeDefined()
  const { deleted } = await purged()
  expect(deleted).toEqual(planned.deleted)
  expect(deleted.filter(({ kind }) => kind === 'outcomes')).toEqual([
    { sha256: sha256(outcomes), bytes: outcomes.length, kind: 'outcomes' },
  ])
  const left = (await artifacts.store.list(`runs/${step.id}/report/`)).map(({ path }) => path)
  expect(left.map((path) => path.split('/').at(-1))).toEqual(['index.html'])
  expect(await artifacts.store.get(outcomesPath(outside.id))).toBeDefined()
  expect((await checkAll(artifacts)).damage).toEqual([])
  // The record of a second purge still names what the first one has deleted.
  expect((await purged()).deleted).toEqual(deleted)
})

test('`ledger` shows what was purged', async () => {
  const shown = async (...args: readonly string[]) => (await here('ledger', madeLedger, ...args)).stdout
  expect(await shown()).not.toContain('purge')
  const { deleted } = await purged()
  const bytes = deleted.reduce((sum, one) => sum + one.bytes, 0)
  expect(JSON.parse(await shown('--json'))).toMatchObject({
    purges: [{ number: 2, deleted: { objects: deleted.length, bytes }, kept: [] }],
  })
  expect(await shown()).toMatch(new RegExp(`purge after request 2: ${deleted.length} objects`))
})

test('manifests and records stay readable, the store is sound, and the certificate holds', async () => {
  const manifests = steps.flatMap(({ plan }) => stagesOf(plan))
  const before = contents()
  await purged()
  const after = contents()
  for (const [path, text] of before)
    if (!path.includes('/blobs/') && !path.includes('/doctor/')) expect(after.get(path), path).toBe(text)
  for (const stage of manifests) expect(await artifacts.manifest(stage)).toBeDefined()
  const { damage, inUse } = await checkAll(artifacts)
  expect([damage, inUse]).toEqual([[], []])
  expect((await here('ledger', madeLedger)).stdout).toContain(`model: ${sha256(modelInUse)}`)

  writeFileSync(join(directory, 'operator'), privatePem(newSigningKey()))
  const written = await here('certificate', madeLedger, '2', '--out', 'request-2', '--key', 'operator')
  expect(written.code, written.stderr).toBe(0)
  expect(readFileSync(join(directory, 'request-2/model/model.safetensors'))).toEqual(modelInUse)
  expect(await zeroshiftHere(directory, 'verify', 'request-2')).toMatchObject({ code: 0 })
  const earlier = await here('certificate', madeLedger, '1', '--out', 'request-1', '--key', 'operator')
  expect(earlier.stderr).toContain('the model after request 1 is no longer in the store')
})

test('without its record, the same purge is damage', async () => {
  await purged()
  rmSync(recordFile())
  expect((await checkAll(artifacts)).damage.length).toBeGreaterThan(10)
})

test('what another run or another ledger needs stays, by name, and the run is unharmed', async () => {
  const outside = sampleRun({ name: 'outside', seed: 9 }).run
  await storePixels(artifacts, outside)
  // The name of a step, but a run that a user has started.
  const own = sampleRun({ name: `${madeLedger}-3-1`, seed: 9 }).run
  await storeRun(artifacts, own)
  await artifacts.markOwn(own.id)
  const original = { sha256: sha256('original'), bytes: 8 }
  await putLedger(artifacts, { ...madeLedgerRecord, name: 'other' })
  const { received, salt, samples } = request(1, [3])
  const theirs = { ...record(1, 'fulfilled', 'b'), model: { before: original, after: original } }
  const notes = { received, finished: received, salt, samples: [...samples] }
  await putDeletion(artifacts, 'other', theirs, notes)

  const { kept, deleted } = await purged()
  expect(await missingStages(artifacts, outside)).toEqual([])
  expect(await missingStages(artifacts, own)).toEqual([])
  const needed = new Map(kept.map(({ sha256, kind, neededBy }) => [sha256, [kind, ...neededBy]]))
  const data = sha256(`${pixels} in ${outside.plan.dataset.key}`)
  expect(needed.get(data)).toEqual(['dataset', `run ${own.id}`, `run ${outside.id}`])
  expect(needed.get(original.sha256)).toEqual(['model', 'ledger other'])
  expect(needed.get(sha256(modelInUse))).toEqual(['unlearn'])
  expect(deleted.some(({ sha256 }) => needed.has(sha256))).toBe(false)
  expect(deleted.map(({ sha256 }) => sha256)).toContain(sha256('model 1'))
  const said = await here('purge', madeLedger)
  expect(said.stdout).toContain(
    `dataset ${data} stays, because others need it: run ${own.id}, run ${outside.id}`,
  )
  const shown = await here('ledger', madeLedger)
  expect(shown.stdout).toContain(`  ${original.sha256} stays: ledger other\n`)
})

test('a copy of the store has neither purged blobs nor damage, and has other runs whole', async () => {
  const outside = sampleRun({ name: 'outside', seed: 9 }).run
  await storeRun(artifacts, outside)
  await purged()
  const copied = await zeroshiftHere(directory, 'store', 'copy', 'store', 'copied')
  expect(copied.code, copied.stderr).toBe(0)
  const copy = openArtifacts(join(directory, 'copied'))
  expect(await missingStages(copy, outside)).toEqual([])
  expect((await copy.runs()).length).toBe(steps.length + 1)
  expect((await checkAll(copy)).damage).toEqual([])
})

test('a copy of the store has the ledger, its records and its models', async () => {
  const copyTo = (name: string, ...args: readonly string[]) =>
    zeroshiftHere(directory, 'store', 'copy', 'store', name, ...args)
  const copied = await copyTo('copied', '--json')
  expect(JSON.parse(copied.stdout), copied.stderr).toMatchObject({ ledgers: [madeLedger] })
  const copy = openArtifacts(join(directory, 'copied'))
  expect((await checkAll(copy)).damage).toEqual([])
  const shown = (store: string) => zeroshiftHere(directory, 'ledger', madeLedger, '--json', '--store', store)
  const withoutPlace = ({ stdout }: { readonly stdout: string }) => ({
    ...(JSON.parse(stdout) as object),
    store: '',
  })
  expect(withoutPlace(await shown('copied'))).toEqual(withoutPlace(await shown('store')))
  expect(await copy.getBlob({ sha256: sha256('original'), bytes: 8 })).toEqual(Buffer.from('original'))

  // A second copy has nothing to do, and one of named runs has no ledger.
  expect((await copyTo('copied')).stdout).toContain(
    `Ledgers with their requests, records and models: ${madeLedger}`,
  )
  expect((await copyTo('some', '--run', steps[0]?.id ?? '')).code).toBe(0)
  expect(await ledgersIn(openArtifacts(join(directory, 'some')).store)).toEqual([])

  // Another request in each store: their records cannot be merged.
  for (const [place, reference] of [
    [copy, 'here'],
    [artifacts, 'there'],
  ] as const)
    await putRequest(place, madeLedger, { ...request(3, [9]), reference })
  const refused = await copyTo('copied')
  expect(refused).toMatchObject({ code: 2 })
  expect(refused.stderr).toContain(`the ledger ${madeLedger} went on in both stores`)
})

test('a ledger with damage is not copied', async () => {
  await artifacts.store.delete(blobPath({ sha256: sha256('original'), bytes: 8 }))
  const { code, stderr } = await zeroshiftHere(directory, 'store', 'copy', 'store', 'copied')
  expect(code).toBe(2)
  expect(stderr).toMatch(/it is missing, and ledgers.*names it as the model of request 1. Nothing was copied/)
})

test('--dry-run lists the same and writes nothing', async () => {
  const before = contents()
  const planned = await purged('--dry-run')
  expect(contents()).toEqual(before)
  const { deleted, kept } = await purged()
  expect(planned).toMatchObject({ dryRun: true, deleted, kept })
})

test('an interrupted purge that is repeated has the same record, and so has a second purge', async () => {
  const { deleted } = await purged('--dry-run')
  for (const blob of deleted.slice(0, 9)) await artifacts.deleteBlob(blob)
  expect((await purged()).deleted).toEqual(deleted)
  const bytes = readFileSync(recordFile(), 'utf8')
  expect(bytes).toBe(canonicalJson(JSON.parse(bytes)))
  await purged()
  expect(readFileSync(recordFile(), 'utf8')).toBe(bytes)
})

test('a data set that was computed again counts as absent no longer, and can be purged again', async () => {
  const [step] = steps
  if (!step) throw new Error('not reached')
  const { deleted } = await purged()
  expect(await missingStages(artifacts, step)).toHaveLength(stagesOf(step.plan).length)
  await storePixels(artifacts, step)
  expect(await missingStages(artifacts, step)).toEqual([])
  expect(filesWithPixels().length).toBeGreaterThan(10)
  expect((await purged()).deleted).toEqual(deleted)
  expect(filesWithPixels()).toEqual([])
})

test.each<[string, () => Promise<unknown>, RegExp]>([
  [
    'an open request',
    () => putRequest(artifacts, madeLedger, request(3, [7])),
    /request 3 of the ledger clinic is not settled.*\.\/zeroshift forget clinic\.yaml --queued/,
  ],
  [
    'a step that is computed',
    () => artifacts.store.put(`${stageFolder(firstStage())}lease/000001.json`, Buffer.from('{}')),
    /is being computed: it has a lease that is alive/,
  ],
  [
    'a run whose stages are unknown',
    () => artifacts.store.put('runs/other-01234567/run.json', Buffer.from('{}')),
    /is not the record of a run/,
  ],
  [
    'a manifest that cannot be read',
    () => artifacts.store.put(manifestPath(firstStage()), Buffer.from('{')),
    /manifest\.json cannot be read, so which blobs it names is unknown/,
  ],
])('%s is refused, and nothing is deleted', async (_, prepare, wanted) => {
  await prepare()
  const before = filesWithPixels().length
  const refused = await here('purge', madeLedger)
  expect(refused.code).toBe(2)
  expect(refused.stderr).toMatch(wanted)
  expect(filesWithPixels()).toHaveLength(before)
  const left = await artifacts.store.list(`ledgers/${madeLedger}/`)
  expect(left.filter(({ path }) => path.includes('purge'))).toEqual([])
})

const firstStage = () => {
  const [step] = steps
  if (!step) throw new Error('not reached')
  return step.plan.dataset
}

test.each<[string, readonly string[], RegExp]>([
  ['a ledger that is not there', ['clinik'], /has no ledger 'clinik'; did you mean "clinic"/],
  ['a ledger without a fulfilled request', ['empty'], /no request of the ledger empty is fulfilled/],
])('%s is refused', async (_, args, wanted) => {
  await putLedger(artifacts, { ...madeLedgerRecord, name: 'empty' })
  const refused = await here('purge', ...args)
  expect(refused.code).toBe(2)
  expect(refused.stderr).toMatch(wanted)
})
