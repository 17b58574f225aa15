import { keptStages } from '../../../activities/runtime/stored-run.ts'
import type { MockActivityEnvironment } from '@temporalio/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { manifestsOf } from '../../../activities/report.ts'
import { stageActivity, type StageBody, type StageDone } from '../../../activities/runtime/stage.ts'
import { Artifacts, openArtifacts } from '../../../artifacts/artifacts.ts'
import { stageFolder } from '../../../artifacts/format/layout.ts'
import type { ObjectStore } from '../../../artifacts/store/object-store.ts'
import { readRuns } from '../../../artifacts/removal/stored-runs.ts'
import { StoreView } from '../../../artifacts/store-view.ts'
import { manifestDigest, type Manifest } from '../../../experiment/records/manifest.ts'
import { stagesOf } from '../../../experiment/stages/stage-list.ts'
import type { Stage } from '../../../experiment/stages/stage.ts'
import { quietEnvironment } from '../../support/activity-environment.ts'
import { testDirectory } from '../../support/directories.ts'
import { linked } from '../../support/linked.ts'
import { sampleRun } from '../../support/run.ts'
import { sampleInput } from '../report/fixtures.ts'

/**
 * Stages whose inputs were computed again with other bytes, as with another number of threads or in
 * another store.
 */

let store: string
let artifacts: Artifacts
const { run } = sampleRun()
const { plan } = run

beforeEach(() => {
  store = testDirectory()
  artifacts = openArtifacts(store)
})

/** The values that the bodies leave this time. */
let seen = 3
const readData: StageBody<'dataset'> = () =>
  Promise.resolve({
    outputs: { dataset: Uint8Array.of(seen) },
    metrics: { train: seen, validation: 0, test: 1 },
    seconds: 1,
  })
const splitData: StageBody<'split'> = ({ inputs }) =>
  Promise.resolve({
    outputs: {},
    metrics: {
      ...{ retained: inputs.dataset.metrics.train - 1, forget: 1, validation: 0, attackTest: 1, test: 0 },
      ...{ forgottenTest: 0, forgottenClasses: [] },
    },
    seconds: 1,
  })
const trainModel: StageBody<'train'> = ({ inputs }) =>
  Promise.resolve({
    outputs: { model: Uint8Array.of(inputs.split?.metrics.retained ?? 0) },
    metrics: { parameters: 1, steps: 1, curve: [] },
    seconds: 1,
  })

const task = <S extends Stage>(stage: S) => ({ stage, settings: { store } })
const dataset = (body = readData): Promise<StageDone> =>
  quietEnvironment().run(
    stageActivity('dataset', () => Promise.resolve(body)),
    task(plan.dataset),
  )
const split = (body = splitData): Promise<StageDone> =>
  quietEnvironment().run(
    stageActivity('split', () => Promise.resolve(body)),
    task(plan.split),
  )
const [gold] = plan.gold
if (!gold) throw new Error('the sample has no gold model')
const train = (body = trainModel): Promise<StageDone> =>
  quietEnvironment().run(
    stageActivity('train', () => Promise.resolve(body)),
    task(gold),
  )
const drop = ({ kind, key }: Stage) => artifacts.store.delete(`stages/${kind}/${key}/manifest.json`)
const kept = async () =>
  (await keptStages({ run, settings: { store } })).map(
    ({ key }) => stagesOf(plan).find((stage) => stage.key === key)?.kind,
  )

/** All three, then the first again, to another result. */
async function recomputeDataset(): Promise<void> {
  seen = 3
  for (const compute of [dataset, split, train]) await compute()
  await drop(plan.dataset)
  seen = 7
  await dataset()
}

describe('a stage whose input is another one by now', () => {
  test('is computed again from it, and so is what was computed from that', async () => {
    await recomputeDataset()
    expect(await artifacts.complete(plan.split)).toBeUndefined()
    expect(await artifacts.complete(gold)).toBeUndefined()
    expect(await split()).toMatchObject({ cached: false })
    expect((await artifacts.manifest(plan.split))?.metrics.retained).toBe(6)
    expect(await train()).toMatchObject({ cached: false })
    const manifest = await artifacts.complete(gold)
    const input = await artifacts.manifest(plan.split)
    expect(manifest?.inputDigests.split).toBe(input && manifestDigest(input))
    expect(await train()).toMatchObject({ cached: true })
  })

  test('is no input of another: that one names it, so that the workflow has it computed again', async () => {
    await recomputeDataset()
    await drop(gold)
    await expect(train()).rejects.toMatchObject({
      type: 'DamagedInputError',
      details: [plan.split.key],
      message: expect.stringContaining('was computed from other inputs than the store has now') as string,
    })
  })

  test('is not answered as kept, and has no figure in the report', async () => {
    await recomputeDataset()
    expect(await kept()).toEqual(['dataset'])
    expect(Object.values(await manifestsOf(artifacts, run)).map(({ kind }) => kind)).toEqual(['dataset'])
  })

  test('stays complete where it comes to the same, or where the input is not in the store', async () => {
    seen = 3
    for (const compute of [dataset, split, train]) await compute()
    expect(await kept()).toEqual(['dataset', 'split', 'train'])
    await drop(plan.dataset)
    expect(await artifacts.complete(gold)).toBeDefined()
    // The run computes it again. Only then is it known whether the others were computed from the
    // same.
    expect(await kept()).toEqual([])
    await dataset()
    expect(await split()).toMatchObject({ cached: true })
    expect(await kept()).toEqual(['dataset', 'split', 'train'])
  })

  test('that came with another store is not taken for the result of this one', async () => {
    seen = 7
    await dataset()
    await split()
    const path = `${stageFolder(plan.split)}manifest.json`
    const foreign = await artifacts.store.get(path)
    await drop(plan.dataset)
    await drop(plan.split)
    seen = 3
    await dataset()
    await artifacts.store.put(path, foreign ?? new Uint8Array())
    expect(await split()).toMatchObject({ cached: false })
    expect((await artifacts.manifest(plan.split))?.metrics.retained).toBe(2)
  })
})

test('a run that is started by itself is noted as such, which a sweep does not change', async () => {
  const isOwn = async () => (await readRuns(artifacts.store)).get(run.id)?.isOwn
  await artifacts.putRun(run)
  expect(await isOwn()).toBe(false)
  await kept()
  expect(await isOwn()).toBe(true)
  await artifacts.putRun(run)
  expect(await isOwn()).toBe(true)
})

test('a result whose input was computed again meanwhile is not committed', async () => {
  seen = 3
  await dataset()
  const meanwhile: StageBody<'split'> = async (context) => {
    await drop(plan.dataset)
    seen = 7
    await dataset()
    return splitData(context)
  }
  await expect(split(meanwhile)).rejects.toThrow("the input 'dataset' of 'split by class' was computed again")
  expect(await artifacts.manifest(plan.split)).toBeUndefined()
  expect(await split()).toMatchObject({ cached: false })
  expect((await artifacts.manifest(plan.split))?.metrics.retained).toBe(6)
})

test('a checkpoint that was computed from another input is not gone on from', async () => {
  seen = 3
  await dataset()
  const resumed: (number | undefined)[] = []
  const interrupted: StageBody<'split'> = async ({ host }) => {
    resumed.push(host.snapshot?.step)
    const take = () => Promise.resolve({ step: 5, vectors: {}, notes: {} })
    const running = environmentOf
    running?.cancel()
    await host.step({ step: 5 }, take)
    throw new Error('expected to be cancelled')
  }
  let environmentOf: MockActivityEnvironment | undefined
  const attempt = async () => {
    environmentOf = quietEnvironment()
    const activity = stageActivity('split', () => Promise.resolve(interrupted))
    await expect(environmentOf.run(activity, task(plan.split))).rejects.toThrow('CANCELLED')
  }
  await attempt()
  await attempt()
  await drop(plan.dataset)
  seen = 7
  await dataset()
  await attempt()
  expect(resumed).toEqual([undefined, 5, undefined])
})

test('a look at a whole run reads each manifest once', async () => {
  const input = sampleInput({ seeds: [{}, {}, {}], shadows: 8 })
  for (const manifest of linked(Object.values(input.manifests))) await artifacts.commit(manifest)
  const reads = new Map<string, number>()
  const counting: ObjectStore = Object.assign(Object.create(artifacts.store) as ObjectStore, {
    get(path: string) {
      reads.set(path, (reads.get(path) ?? 0) + 1)
      return artifacts.store.get(path)
    },
    // The fixtures have no blobs.
    size: () => Promise.resolve(1024),
  })
  const view = new StoreView(new Artifacts(counting))
  const stages = stagesOf(input.run.plan)
  const found = await Promise.all(stages.map((stage) => view.complete(stage)))
  expect(found.map((one) => one?.key)).toEqual(stages.map(({ key }) => key))
  // And what says the store's format.
  expect(reads.size).toBe(stages.length + 1)
  expect(new Set(reads.values())).toEqual(new Set([1]))
})

test('what no stage leaves is no manifest', async () => {
  const [first] = linked(Object.values(sampleInput().manifests))
  if (!first) throw new Error('expected a manifest')
  await artifacts.commit({ ...first, clock: undefined } as unknown as Manifest)
  expect(await artifacts.manifest(first)).toBeUndefined()
})
