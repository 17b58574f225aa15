import { beforeEach, expect, test } from 'vitest'
import { jsonBytes } from '../../../../common/json.ts'
import { openArtifacts, type Artifacts } from '../../../../artifacts/artifacts.ts'
import { deleteGarbage } from '../../../../artifacts/removal/gc.ts'
import { takeInventory } from '../../../../artifacts/removal/inventory.ts'
import type { RunRecord } from '../../../../experiment/records/run.ts'
import { testDirectory } from '../../../support/directories.ts'
import { sampleRun } from '../../../support/run.ts'

const { run } = sampleRun()
let directory: string
let artifacts: Artifacts
beforeEach(() => {
  directory = testDirectory()
  artifacts = openArtifacts(directory)
})

const put = (record: unknown) => artifacts.store.put(`runs/${run.id}/run.json`, jsonBytes(record))
const { original } = run.plan

test.each<[string, unknown, RegExp]>([
  ['is another run', { ...run, id: 'other-00000000' }, /it is the record of other-00000000/],
  ['has another name', { ...run, spec: { ...run.spec, name: 'other' } }, /give the id other-/],
  [
    'has a stage of other parameters',
    { ...run, plan: { ...run.plan, original: { ...original, params: { ...original.params, seed: 2 } } } },
    /its name and its plan give the id sample-/,
  ],
  [
    'is of other data',
    { ...run, facts: { ...run.facts, train: [1, 2, 3] } },
    /its data is not that of its plan/,
  ],
  ['has no plan', { ...run, plan: undefined }, /it is no whole record/],
  ['is no record', null, /it is no whole record/],
])('a record that %s is refused, by garbage collection too', async (_, record, why) => {
  await put(record)
  await expect(artifacts.run(run.id)).rejects.toThrow(why)
  const { store } = artifacts
  await expect(deleteGarbage(store, await takeInventory(store), 600_000)).rejects.toThrow(
    'is not the record of a run',
  )
})

test('the record of a run and of its verification are as they were written', async () => {
  await artifacts.putRun(run)
  expect(await artifacts.run(run.id)).toEqual(JSON.parse(JSON.stringify(run)))
  const verification: RunRecord = { ...run, id: `verify.${run.id}.0123abcd` }
  await artifacts.putRun(verification)
  expect((await artifacts.run(verification.id))?.id).toBe(verification.id)
})
