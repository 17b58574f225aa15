import { beforeEach, expect, test } from 'vitest'
import { KnownRuns } from '../../../../activities/runtime/known-runs.ts'
import { stageActivity, type StageBody } from '../../../../activities/runtime/stage.ts'
import { keptStages, storedPart } from '../../../../activities/runtime/stored-run.ts'
import { openArtifacts, type Artifacts } from '../../../../artifacts/artifacts.ts'
import { planOf } from '../../../../experiment/plan/run-parts.ts'
import { recordOf } from '../../../../experiment/records/run.ts'
import { quietEnvironment } from '../../../support/activity-environment.ts'
import { testDirectory } from '../../../support/directories.ts'
import { sampleRun } from '../../../support/run.ts'

let store: string
let artifacts: Artifacts
const input = sampleRun()
const { run } = input
beforeEach(async () => {
  store = testDirectory()
  artifacts = openArtifacts(store)
  await artifacts.putRun(recordOf(input))
})

const readData: StageBody<'dataset'> = ({ stage }) =>
  Promise.resolve({
    outputs: { dataset: new TextEncoder().encode(stage.params.facts.name) },
    metrics: { train: 3, validation: 0, test: 1 },
    seconds: 1,
  })
const { kind, key, title } = run.plan.dataset
const readBy = (id: string, asked = key) =>
  quietEnvironment().run(
    stageActivity('dataset', () => Promise.resolve(readData)),
    { stage: { kind, key: asked, title }, settings: { store }, run: id },
  )

test('a stage that is given by its key is what the record of its run says', async () => {
  expect(await readBy(run.id)).toMatchObject({ key, cached: false })
  expect((await artifacts.manifest(run.plan.dataset))?.params).toEqual(run.plan.dataset.params)
  expect(await keptStages({ run: { id: run.id }, settings: { store } })).toMatchObject([{ key }])
})

test('a run or a stage that the store does not have is refused, and not for ever', async () => {
  await expect(readBy(run.id, '0'.repeat(64))).rejects.toThrow('has no stage 000000000000')
  const runs = new KnownRuns()
  const other = sampleRun({ name: 'other' })
  await expect(runs.record(artifacts, other.run.id)).rejects.toThrow(`has no run '${other.run.id}'`)
  await artifacts.putRun(recordOf(other))
  expect((await runs.record(artifacts, other.run.id)).id).toBe(other.run.id)
})

test('a plan is read with the settings that the record has now', async () => {
  const runs = new KnownRuns()
  const first = await storedPart(artifacts, runs, { id: run.id, part: 0 })
  expect(planOf([first.text])).toEqual(run.plan)
  expect(first).toMatchObject({ parts: 1, byKey: false, settings: {}, kept: [] })
  await artifacts.putRun(recordOf({ run, settings: { store, heartbeatSeconds: 7 } }))
  expect((await storedPart(artifacts, runs, { id: run.id, part: 0 })).settings).toEqual({
    heartbeatSeconds: 7,
  })
  await expect(storedPart(artifacts, runs, { id: run.id, part: 1 })).rejects.toThrow('1 pieces')
})

test('records are read once, and the oldest is forgotten', async () => {
  const runs = new KnownRuns()
  const names = ['a', 'b', 'c', 'd']
  for (const name of names) await artifacts.putRun(recordOf(sampleRun({ name })))
  await runs.stage(artifacts, run.id, key)
  await artifacts.store.delete(`runs/${run.id}/run.json`)
  expect((await runs.stage(artifacts, run.id, key)).title).toBe(title)
  for (const name of names) await runs.record(artifacts, sampleRun({ name }).run.id)
  await expect(runs.stage(artifacts, run.id, key)).rejects.toThrow('has no run')
})
