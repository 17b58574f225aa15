import { expect, test } from 'vitest'
import { takeInventory } from '../../../../artifacts/removal/inventory.ts'
import { freedBy, planRemoval } from '../../../../artifacts/removal/plan-removal.ts'
import { usageOf } from '../../../../artifacts/removal/usage.ts'
import type { StoredObject } from '../../../../artifacts/store/object-store.ts'
import { madeRuns, madeSweep, makeStore } from '../../../support/made-store.ts'
import { MemoryStore } from '../../../support/memory-store.ts'

const bytesOf = (objects: readonly StoredObject[]) => objects.reduce((bytes, one) => bytes + one.bytes, 0)

async function storeOf(sweep: boolean) {
  const store = new MemoryStore()
  await makeStore(store, { runs: [0, 1, 2], sweep })
  return store
}

test('a run has alone what its removal frees', async () => {
  const store = await storeOf(false)
  const inventory = await takeInventory(store)
  const { runs } = usageOf(inventory)
  expect(runs).toHaveLength(3)
  for (const { id, own, shared } of runs) {
    const removal = planRemoval(inventory, [id], { cells: false, notes: new Map() })
    const { later, ...freed } = freedBy(inventory, removal, Infinity)
    const gone = [...later.stages.flatMap(({ objects }) => objects), ...later.blobs]
    const records = removal.runs.flatMap(({ objects }) => objects)
    expect({ id, own, shared }).toEqual({
      id,
      own: bytesOf([...gone, ...records]),
      shared: bytesOf(freed.shared.objects),
    })
  }
  expect(runs.map(({ own }) => own)).toEqual(runs.map(({ own }) => own).sort((a, b) => b - a))
})

test('the kinds, the records and what nothing needs are the whole store', async () => {
  const store = await storeOf(true)
  await store.put(`blobs/sha256/ab/${'ab'.repeat(32)}`, new Uint8Array(1000))
  const usage = usageOf(await takeInventory(store))
  expect(usage).toMatchObject({ unneeded: 1000, unknown: [] })
  expect(usage.runs.find(({ id }) => id === madeSweep)).toMatchObject({ kind: 'sweep', shared: 0 })
  const kinds = usage.kinds.reduce((bytes, kind) => bytes + kind.bytes, 0)
  expect(kinds + usage.records + usage.unneeded).toBe(usage.bytes)
  const format = (await store.size('store.json')) ?? 0
  expect(usage.bytes).toBe(bytesOf(await store.list('')) - format)
})

test('a run whose record is damaged is named, and counts with its record alone', async () => {
  const store = await storeOf(false)
  const id = madeRuns[0]?.id ?? ''
  await store.put(`runs/${id}/run.json`, new TextEncoder().encode('{'))
  for (const { path } of await store.list(`runs/${id}/report/`)) await store.delete(path)
  const { unknown, runs } = usageOf(await takeInventory(store))
  expect(unknown).toEqual([id])
  expect(runs.find((run) => run.id === id)).toEqual({ id, kind: 'run', own: 1, shared: 0 })
})
