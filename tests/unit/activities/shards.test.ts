import { ApplicationFailure } from '@temporalio/common'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { findDataDirectory } from '../../../activities/inputs/data-directory.ts'
import { datasetStage } from '../../../activities/stages/dataset.ts'
import type { HeartbeatDetails } from '../../../activities/runtime/heartbeat-details.ts'
import { createActivities } from '../../../activities/index.ts'
import { changedCode, codeNames } from '../../../activities/runtime/code-digests.ts'
import { stageActivity } from '../../../activities/runtime/stage.ts'
import { shardsOf } from '../../../activities/runtime/blob-codecs.ts'
import { openArtifacts, type Artifacts } from '../../../artifacts/artifacts.ts'
import { digestOf } from '../../../common/canonical.ts'
import { manifestDigest, type ManifestOf } from '../../../experiment/records/manifest.ts'
import { plan } from '../../../experiment/plan/plan.ts'
import { specSchema } from '../../../experiment/spec/spec.ts'
import { stagesOf } from '../../../experiment/stages/stage-list.ts'
import type { Stage, StageKind } from '../../../experiment/stages/stage.ts'
import { inspectDataset } from '../../../datasets/index.ts'
import { errorOf } from '../../support/errors.ts'
import { quietEnvironment } from '../../support/activity-environment.ts'
import { fileDirectory } from '../../support/directories.ts'

/** All stages of a run take a minute on two idle cores. */
const PATIENCE = 600_000

/** 1,797 digits of 64 bytes: 12 shards of at most 10,000 bytes, the last of them shorter. */
const SHARD_BYTES = 10_000
const inShards = stageActivity('dataset', () => Promise.resolve(datasetStage(0, SHARD_BYTES)))

const spec = specSchema.parse({
  name: 'shards',
  data: { name: 'digits' },
  split: { kind: 'class', classes: [3] },
  model: { name: 'cnn', channels: [4, 8], hidden: 8 },
  training: { epochs: 2, augment: { crop: 1 } },
  gold: { models: 1 },
  methods: [
    { method: 'retrain' },
    { method: 'finetune', epochs: 1 },
    { method: 'rfa', steps: 5 },
    { method: 'scrub', epochs: 1 },
    { method: 'neggrad-plus', epochs: 1 },
    { method: 'boundary-shrink', epochs: 1 },
    { method: 'unsir', noiseSteps: 3 },
    { method: 'ssd' },
  ],
  relearn: { maxSteps: 3 },
  probe: { layers: ['conv2'], samples: 40 },
  features: { layers: ['conv2'], samples: 40 },
})

let folder: string
let planned: ReturnType<typeof plan>
beforeAll(async () => {
  folder = fileDirectory()
  const facts = await inspectDataset(spec.data, await findDataDirectory(spec.data, {}))
  // Code that the lock does not know yet is computed too.
  planned = plan(spec, facts, await changedCode(codeNames))
})

let store = ''
let artifacts: Artifacts
let count = 0
beforeEach(() => {
  store = join(folder, String(count++))
  artifacts = openArtifacts(store)
})

async function run(stage: Stage, activity: unknown = createActivities()[stage.kind]): Promise<void> {
  await quietEnvironment().run(activity as (task: object) => Promise<object>, { stage, settings: { store } })
}

async function manifestOf<K extends StageKind>(stage: { kind: K; key: string }): Promise<ManifestOf<K>> {
  const manifest = await artifacts.complete(stage)
  if (!manifest) throw new Error(`${stage.kind} left no manifest`)
  return manifest as unknown as ManifestOf<K>
}

test('every stage makes the same of shards as of one blob', async () => {
  const reading: readonly StageKind[] = [
    'split',
    'train',
    'unlearn',
    'evaluate',
    'relearn',
    'probe',
    'features',
  ]
  const stages = stagesOf(planned).filter(({ kind }) => reading.includes(kind))
  const outputs = async (dataset: unknown) => {
    store = join(folder, String(count++))
    artifacts = openArtifacts(store)
    await run(planned.dataset, dataset)
    for (const stage of stages) await run(stage)
    const manifests = await Promise.all(stages.map((stage) => manifestOf(stage)))
    const digests = manifests.map(({ kind, outputs, metrics }) => ({ kind, outputs, metrics }))
    return { digests, shards: shardsOf(await manifestOf(planned.dataset)) }
  }
  const whole = await outputs(undefined)
  const cut = await outputs(inShards)
  expect(whole.shards).toEqual([])
  expect(cut.shards).toHaveLength(12)
  expect(cut.shards.map(({ bytes }) => bytes)).toEqual([
    ...new Array<number>(11).fill(9984),
    1797 * 64 - 11 * 9984,
  ])
  expect(cut.digests).toEqual(whole.digests)
}, 120_000)

/** One attempt, which is cancelled once it has shown that step. */
async function cancelledAt(step: number): Promise<void> {
  const environment = quietEnvironment()
  const body = datasetStage(0, SHARD_BYTES)
  const cancelled = stageActivity('dataset', () =>
    Promise.resolve(({ host, ...context }) =>
      body({
        ...context,
        host: {
          snapshot: host.snapshot,
          async step(progress, take) {
            if (progress.step === step) environment.cancel()
            await host.step(progress, take)
          },
        },
      }),
    ),
  )
  const error = await errorOf(environment.run(cancelled, { stage: planned.dataset, settings: { store } }))
  expect(error.name).toBe('CancelledFailure')
}

async function resumed(): Promise<readonly HeartbeatDetails[]> {
  const environment = quietEnvironment()
  const beats: HeartbeatDetails[] = []
  environment.on('heartbeat', (beat: HeartbeatDetails) => beats.push(beat))
  await environment.run(inShards, { stage: planned.dataset, settings: { store } })
  return beats
}

test(
  'a stage that was stopped goes on at the next shard, and ends in the same manifest',
  async () => {
    await run(planned.dataset, inShards)
    const expected = manifestDigest(await manifestOf(planned.dataset))
    for (const lost of [false, true]) {
      store = join(folder, String(count++))
      artifacts = openArtifacts(store)
      await cancelledAt(5)
      const stored = await artifacts.store.list('blobs/')
      expect(stored).toHaveLength(5)
      if (lost) await artifacts.store.delete(stored[2]?.path ?? '')
      const beats = await resumed()
      expect(beats.some(({ resumedAt, step }) => resumedAt === 5 && (step ?? 0) >= 5)).toBe(!lost)
      expect(manifestDigest(await manifestOf(planned.dataset))).toBe(expected)
    }
  },
  PATIENCE,
)

test('a damaged shard is found before anything is computed from it, and goes', async () => {
  await run(planned.dataset, inShards)
  const [, second] = shardsOf(await manifestOf(planned.dataset))
  const path = `blobs/sha256/${second?.sha256.slice(0, 2) ?? ''}/${second?.sha256 ?? ''}`
  await writeFile(join(store, path), new Uint8Array(second?.bytes ?? 0))
  const error = await errorOf(run(planned.original), ApplicationFailure)
  expect(error.message).toMatch(/is damaged: its 9984 bytes have SHA-256 [0-9a-f]{64}, expected 9984 bytes/)
  expect(error.type).toBe('DamagedInputError')
  expect(existsSync(join(store, path))).toBe(false)
  expect((await errorOf(run(planned.original))).message).toContain('is missing')
  expect(await artifacts.complete(planned.dataset)).toBeUndefined()
})

test('data that changed after the run was planned are refused', async () => {
  const [source] = planned.dataset.params.facts.sources
  const facts = { ...planned.dataset.params.facts, sources: [{ ...source, sha256: '00' }] }
  const { kind, version, inputs, params } = planned.dataset
  const identity = { kind, version, inputs, params: { ...params, facts } }
  const error = await errorOf(
    run({ ...planned.dataset, ...identity, key: digestOf(identity) } as Stage),
    ApplicationFailure,
  )
  expect(error.message).toMatch(
    /not those that the run was planned with: sources\[0\]\.sha256: "00", here "09f6.*Put the files back, or start another run/,
  )
  expect(error.type).toBe('UserError')
})
