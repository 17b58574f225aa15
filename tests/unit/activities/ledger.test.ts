import { expect, test } from 'vitest'
import { nextRequest } from '../../../activities/ledger.ts'
import { openArtifacts, type Artifacts } from '../../../artifacts/artifacts.ts'
import { putDeletion, putLedger, putRequest, readRequests } from '../../../artifacts/stored-ledgers.ts'
import { digestOf } from '../../../common/canonical.ts'
import { madeBatch, madeLedger as name, type MadeDeletion } from '../../support/deletions.ts'
import { testDirectory } from '../../support/directories.ts'
import { ledgerSpec } from '../experiment/ledger/ledgers.ts'
import { digitFacts } from '../experiment/sample.ts'

const HOUR = 3_600_000

/** A ledger with open requests, and the records of the first of them. */
async function storeWith(made: readonly MadeDeletion[], settled: number, received: Date): Promise<Artifacts> {
  const artifacts = openArtifacts(testDirectory())
  const spec = { ...ledgerSpec(), name, batch: '1d' }
  const ledger = { format: 1, name, digest: digestOf(spec), spec, facts: digitFacts } as const
  await putLedger(artifacts, { ...ledger, config: 'clinic.yaml', settings: {} })
  for (const { record, notes } of made) {
    const { number, reference } = record
    const { salt, samples } = notes
    await putRequest(artifacts, name, { number, reference, received: received.toISOString(), salt, samples })
    if (number <= settled) await putDeletion(artifacts, name, record, notes)
  }
  return artifacts
}

const ago = (hours: number) => new Date(Date.now() - hours * HOUR)

test('requests wait from the first of them on, and an interruption does not prolong that', async () => {
  const artifacts = await storeWith(madeBatch(3), 0, ago(23))
  for (let start = 0; start < 2; start++) {
    const { next, waiting } = await nextRequest(artifacts, { name })
    expect(next).toBeUndefined()
    expect(waiting).toMatchObject({ first: 1, last: 3 })
    expect(waiting?.left).toBeGreaterThan(0)
    expect(waiting?.left).toBeLessThanOrEqual(HOUR)
  }
})

test.each([
  ['at the end of the batch', 25, false],
  ['at once, if that is asked for', 0, true],
])('all requests that wait are settled together %s', async (_, hours, now) => {
  const artifacts = await storeWith(madeBatch(3), 0, ago(hours))
  expect(await nextRequest(artifacts, { name, now })).toEqual({
    next: { number: 1, last: 3, steps: ['finetune', 'replay', 'retrain'] },
  })
})

test('a request that waits alone is settled alone', async () => {
  const artifacts = await storeWith(madeBatch(2).slice(0, 1), 0, ago(25))
  expect((await nextRequest(artifacts, { name })).next).toMatchObject({ number: 1 })
  expect((await nextRequest(artifacts, { name })).next).not.toHaveProperty('last')
})

test.each([1, 2])('the records of a batch that ended after %i of 3 are completed', async (settled) => {
  const made = madeBatch(3)
  const artifacts = await storeWith(made, settled, ago(1))
  expect(await nextRequest(artifacts, { name })).toEqual({})
  const requests = await readRequests(artifacts, name)
  expect(requests.map(({ record }) => record)).toEqual(made.map(({ record }) => record))
  expect(requests.map(({ notes }) => notes?.salt)).toEqual(made.map(({ notes }) => notes.salt))
})
