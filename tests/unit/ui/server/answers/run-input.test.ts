import { beforeEach, expect, it } from 'vitest'
import { Artifacts } from '../../../../../artifacts/artifacts.ts'
import { runInput } from '../../../../../ui/server/answers/run-input.ts'
import { madeRuns, makeStore } from '../../../../support/made-store.ts'
import { MemoryStore } from '../../../../support/memory-store.ts'

const id = madeRuns[0]?.id ?? ''

class CountingStore extends MemoryStore {
  reads = 0
  override get(path: string): ReturnType<MemoryStore['get']> {
    this.reads += 1
    return super.get(path)
  }
}

let store: CountingStore
beforeEach(async () => {
  store = new CountingStore()
  await makeStore(store, { runs: [0] })
  store.reads = 0
})

it('reads a run once if the context keeps what was read', async () => {
  const context = { artifacts: new Artifacts(store), inputs: new Map() }
  const first = await runInput(context, id)
  const { reads } = store
  expect(reads).toBeGreaterThan(0)
  expect(Object.keys(first.input.manifests).length).toBeGreaterThan(0)
  for (let i = 0; i < 3; i++) expect(await runInput(context, id)).toBe(first)
  expect(store.reads).toBe(reads)
})

it('reads a run anew for each answer of a server, as its stages change', async () => {
  const context = { artifacts: new Artifacts(store) }
  const first = await runInput(context, id)
  const { reads } = store
  const again = await runInput(context, id)
  expect(store.reads).toBeGreaterThan(reads)
  expect(again).toEqual(first)
})
