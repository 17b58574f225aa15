import { beforeEach, expect, test } from 'vitest'
import { openArtifacts, type Artifacts } from '../../../../artifacts/artifacts.ts'
import { checkLedgers } from '../../../../artifacts/check/check-ledgers.ts'
import { blobPath, deletionNotesPath, deletionPath } from '../../../../artifacts/format/layout.ts'
import { canonicalJson } from '../../../../common/canonical.ts'
import type { Deletion } from '../../../../experiment/records/deletion.ts'
import { madeDeletions, madeLedger, putDeletions } from '../../../support/deletions.ts'
import { testDirectory } from '../../../support/directories.ts'

const made = madeDeletions(3)
const [first, second] = made
if (!first || !second) throw new Error('requests were made')

let artifacts: Artifacts
beforeEach(async () => {
  artifacts = openArtifacts(`file://${testDirectory()}/store`)
  await putDeletions(artifacts, made)
  await artifacts.putBlob(Buffer.from('original'))
})

async function findings(purged: readonly string[] = []): Promise<readonly string[]> {
  const blobs = await artifacts.store.list('blobs/')
  const around = { blobs: new Map(blobs.map(({ path }) => [path, true])), purged: new Set(purged) }
  return (await checkLedgers(artifacts.store, around)).map(({ path, what }) => `${path}: ${what}`)
}
const write = (path: string, value: unknown) =>
  artifacts.store.put(path, Buffer.from(typeof value === 'string' ? value : canonicalJson(value)))

test('a ledger that was written whole has no flaw', async () => {
  expect(await findings()).toEqual([])
})

test('a record that was changed is found by itself and by the record after it', async () => {
  const path = deletionPath(madeLedger, 1)
  const changed: Deletion = { ...first.record, reference: 'case 9' }
  await write(path, changed)
  expect(await findings()).toEqual([
    expect.stringMatching(/000002\.json: previous: it is [0-9a-f]{64}, but the digest of the record before/),
  ])
  await write(path, { ...first.record, claim: 'retrained' })
  expect(await findings()).toContainEqual(expect.stringContaining(`${path}: claim: it is "retrained"`))
  await write(path, JSON.stringify(first.record, null, 1))
  expect(await findings()).toEqual([
    `${path}: it is not the canonical JSON of a record of a deletion request`,
  ])
})

test('a record that was deleted is found by the record after it', async () => {
  await artifacts.store.delete(deletionPath(madeLedger, 1))
  expect(await findings()).toContainEqual(
    expect.stringContaining('000002.json: number: it is 2, but 0 records come before'),
  )
})

test('a model that is missing is named, unless a purge has deleted it', async () => {
  const { after } = first.record.model
  await artifacts.store.delete(blobPath(after))
  expect(await findings()).toEqual([
    `${blobPath(after)}: it is missing, and ${deletionPath(madeLedger, 1)} names it as the model of request 1`,
  ])
  expect(await findings([after.sha256])).toEqual([])
})

test('notes of other samples are found, and notes that were deleted are no flaw', async () => {
  const path = deletionNotesPath(madeLedger, 2)
  await write(path, { ...second.notes, samples: first.notes.samples })
  expect(await findings()).toEqual([`${path}: its samples and its salt do not have the root in the record`])
  await write(path, '{}')
  expect(await findings()).toEqual([`${path}: it is no notes of a request`])
  await artifacts.store.delete(path)
  expect(await findings()).toEqual([])
})
