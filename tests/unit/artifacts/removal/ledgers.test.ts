import { expect, test } from 'vitest'
import { Artifacts } from '../../../../artifacts/artifacts.ts'
import { putDeletion, putLedger, putRequest, readRequests } from '../../../../artifacts/stored-ledgers.ts'
import { garbage } from '../../../../artifacts/removal/gc.ts'
import { takeInventory } from '../../../../artifacts/removal/inventory.ts'
import { planRemoval } from '../../../../artifacts/removal/plan-removal.ts'
import { usageOf } from '../../../../artifacts/removal/usage.ts'
import { expired } from '../../../../artifacts/removal/retention.ts'
import { UserError } from '../../../../common/errors.ts'
import { storeRun } from '../../../support/library.ts'
import { MemoryStore } from '../../../support/memory-store.ts'
import { sampleRun } from '../../../support/run.ts'
import { digitFacts } from '../../experiment/sample.ts'
import { ledgerSpec, record, request } from '../../experiment/ledger/ledgers.ts'

/** A store with the ledger `sample`, whose only request led to a model that no stage has. */
async function ledgerStore() {
  const store = new MemoryStore()
  const artifacts = new Artifacts(store)
  const [before, after, other] = await Promise.all(
    ['before', 'after', 'other'].map((text) => artifacts.putBlob(new TextEncoder().encode(text))),
  )
  if (!before || !after || !other) throw new Error('not reached')
  const ledger = {
    format: 1,
    name: 'sample',
    digest: '0'.repeat(64),
    spec: ledgerSpec(),
    facts: digitFacts,
  } as const
  await putLedger(artifacts, { ...ledger, config: 'ledger.yaml', settings: {} })
  const asked = request(1, [3])
  expect(await putRequest(artifacts, 'sample', asked)).toBe(true)
  const { received, salt, samples } = asked
  const notes = { received, finished: received, salt, samples: [...samples] }
  await putDeletion(artifacts, 'sample', { ...record(1, 'fulfilled', 'b'), model: { before, after } }, notes)
  return { store, artifacts, before, after, other }
}

test('the models that the records of a ledger name are no garbage', async () => {
  const { store, before, after, other } = await ledgerStore()
  const inventory = await takeInventory(store)
  const names = (blobs: readonly { readonly path: string }[]) =>
    blobs.map(({ path }) => path.split('/').at(-1))
  expect(names(garbage(inventory, -Infinity).blobs)).toEqual([other.sha256])
  expect(names(garbage({ ...inventory, ledgers: new Map() }, -Infinity).blobs).sort()).toEqual(
    [before, after, other].map(({ sha256 }) => sha256).sort(),
  )
})

test('the space of a ledger is its records and the models that nothing else needs', async () => {
  const { store, before, after, other } = await ledgerStore()
  const usage = usageOf(await takeInventory(store))
  const records = (await store.list('ledgers/')).reduce((sum, { bytes }) => sum + bytes, 0)
  const models = before.bytes + after.bytes
  expect(usage.runs).toEqual([{ id: 'sample', kind: 'ledger', own: records + models, shared: 0 }])
  expect(usage).toMatchObject({ records: records + models, unneeded: other.bytes })
  expect(usage.bytes).toBe(records + models + other.bytes)
})

test('a number is given once, and a record is written once', async () => {
  const { artifacts } = await ledgerStore()
  expect(await putRequest(artifacts, 'sample', request(1, [9]))).toBe(false)
  const notes = { received: request(1, [3]).received, finished: '2026-12-01T00:00:00.000Z' }
  const again = { ...notes, salt: request(1, [3]).salt, samples: [{ id: '3', index: 3 }] }
  await putDeletion(artifacts, 'sample', record(1, 'refused', 'c'), again)
  const [only] = await readRequests(artifacts, 'sample')
  expect(only?.record?.state).toBe('fulfilled')
  expect(only?.request.samples).toEqual([{ id: '3', index: 3 }])
})

test('a record that was damaged is named', async () => {
  const { store, artifacts } = await ledgerStore()
  await store.put('ledgers/sample/000001.json', new TextEncoder().encode('{"format":1}'))
  await expect(readRequests(artifacts, 'sample')).rejects.toThrow(/000001\.json is not as it was written/)
})

test('a step of a ledger is removed neither by name nor by a retention rule', async () => {
  const { store, artifacts } = await ledgerStore()
  const step = sampleRun({ name: 'sample-1-1' }).run
  const own = sampleRun({ name: 'own' }).run
  await storeRun(artifacts, step)
  await storeRun(artifacts, own)
  const inventory = await takeInventory(store)
  const options = { cells: false, notes: new Map() }
  expect(() => planRemoval(inventory, [step.id], options)).toThrow(UserError)
  expect(() => planRemoval(inventory, [step.id], options)).toThrow(/is a step of the ledger sample/)
  expect(planRemoval(inventory, [own.id], options).runs.map(({ id }) => id)).toEqual([own.id])
  const { ledgers: _, ...without } = inventory
  const rule = { within: -1 }
  expect(expired(inventory, rule, () => false).runs).toEqual([own.id])
  expect([...expired(without, rule, () => false).runs].sort()).toEqual([own.id, step.id].sort())
})
