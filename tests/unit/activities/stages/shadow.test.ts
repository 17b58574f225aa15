import { beforeAll, describe, expect } from 'vitest'
import { findDataDirectory } from '../../../../activities/inputs/data-directory.ts'
import { createActivities } from '../../../../activities/index.ts'
import { readDataset, readPool, readShadow } from '../../../../activities/runtime/blob-codecs.ts'
import { openArtifacts, type Artifacts } from '../../../../artifacts/artifacts.ts'
import type { Manifest, ManifestOf } from '../../../../experiment/records/manifest.ts'
import type { Estimate } from '../../../../experiment/records/measured.ts'
import { plan } from '../../../../experiment/plan/plan.ts'
import { specSchema } from '../../../../experiment/spec/spec.ts'
import type { Stage, StageKind, StageOf } from '../../../../experiment/stages/stage.ts'
import { inspectDataset } from '../../../../datasets/index.ts'
import { shadowHalf } from '../../../../unlearning/population/shadows.ts'
import { quietEnvironment } from '../../../support/activity-environment.ts'
import { fileDirectory } from '../../../support/directories.ts'
import { test } from '../../../support/fixtures.ts'

/** A model that learns 359 digits by heart, and shadow models beside it. */
const spec = specSchema.parse({
  name: 'shadows',
  data: { name: 'digits', test: 0.8 },
  split: { kind: 'random', count: 150 },
  model: { name: 'mlp', hidden: [64] },
  training: { epochs: 20, batchSize: 64, optimizer: { name: 'adam', learningRate: 1e-2 } },
  gold: { models: 1 },
  shadow: { models: 12 },
  methods: [{ method: 'original' }, { method: 'retrain' }],
})

let store: string
let artifacts: Artifacts
let planned: ReturnType<typeof plan>

async function run(stage: Stage, settings: object = {}, environment = quietEnvironment()): Promise<void> {
  const activity = createActivities()[stage.kind] as (task: object) => Promise<object>
  await environment.run(activity, { stage, settings: { store, ...settings } })
}

async function manifestOf<K extends StageKind>(stage: StageOf<K> | undefined): Promise<ManifestOf<K>> {
  const manifest: Manifest | undefined = stage && (await artifacts.manifest(stage))
  if (!manifest) throw new Error(`${stage?.title ?? 'a stage'} left no manifest`)
  return manifest as ManifestOf<K>
}

beforeAll(async () => {
  store = fileDirectory()
  artifacts = openArtifacts(store)
  const facts = await inspectDataset(spec.data, await findDataDirectory(spec.data, {}))
  planned = plan(spec, facts)
  const { dataset, split, original, gold, shadow, candidates } = planned
  if (!shadow) throw new Error('there are shadow models')
  const judged = candidates.flatMap(({ evaluate, membership }) => [evaluate, membership ?? []].flat())
  for (const stage of [dataset, split, original, ...gold, ...shadow.models, shadow.pool, ...judged])
    await run(stage)
}, 120_000)

const auc = (estimate: Estimate) => ('value' in estimate ? estimate.value : NaN)

async function attacksOn(label: string) {
  const { metrics } = await manifestOf(planned.candidates.find((one) => one.label === label)?.membership)
  return metrics
}

describe('attacks by shadow models', () => {
  test('find what the original trained on, and what gold did not is a coin toss', async () => {
    const [original, gold] = [await attacksOn('original'), await attacksOn('retrain')]
    expect(original).toMatchObject({ models: 12, variance: 'pooled' })
    for (const attack of ['lira', 'liraOffline', 'rmia'] as const) {
      expect(auc(original.sets.forget.attacks[attack].auc)).toBeGreaterThan(0.55)
      expect(auc(original.sets.retained.attacks[attack].auc)).toBeGreaterThan(0.55)
      expect(auc(gold.sets.retained.attacks[attack].auc)).toBeGreaterThan(0.55)
      expect(Math.abs(auc(gold.sets.forget.attacks[attack].auc) - 0.5)).toBeLessThan(0.08)
    }
  })

  test('say of how many samples, and which rates these are too few for', async () => {
    const { sets } = await attacksOn('original')
    expect(sets.forget).toMatchObject({ members: 150, nonMembers: 1438 })
    expect(sets.retained).toMatchObject({ members: 209, nonMembers: 1438 })
    expect(sets.forget.attacks.lira.tprAt1).toHaveProperty('interval')
    expect(sets.forget.attacks.lira.tprAt01).toEqual({
      missing: 'a false-positive rate of 0.1% needs 10000 non-members, and there are 1438',
    })
  })
})

describe('a shadow model', () => {
  test('publishes φ and the half that it trained on, and is right on all of that half alone', async () => {
    const [first] = planned.shadow?.models ?? []
    const { phi, members } = await readShadow(artifacts, await manifestOf(first))
    const { labels } = await readDataset(artifacts, await manifestOf(planned.dataset))
    expect(phi).toHaveLength(labels.length)
    expect(members).toEqual(shadowHalf(labels.length, 1, 0))
    const least = (kind: number) => Math.min(...phi.filter((_, i) => members[i] === kind))
    expect(least(1)).toBeGreaterThan(0)
    expect(least(0)).toBeLessThan(0)
    expect((await manifestOf(first)).metrics).toMatchObject({ members: 898, samples: 1797 })
  })

  test('that is interrupted goes on from its checkpoint, to the same bytes', async ({
    directory: elsewhere,
  }) => {
    const [, stage] = planned.shadow?.models ?? []
    const whole = await manifestOf(stage)
    const settings = { store: elsewhere, checkpointSeconds: 0.05 }
    await run(planned.dataset, settings)
    const environment = quietEnvironment()
    environment.on('heartbeat', ({ step = 0 }: { step?: number }) => {
      if (step > 20) environment.cancel()
    })
    await expect(run(stage as Stage, settings, environment)).rejects.toThrow()
    const beats: { resumedAt?: number }[] = []
    const again = quietEnvironment()
    again.on('heartbeat', (beat: { resumedAt?: number }) => beats.push(beat))
    await run(stage as Stage, settings, again)
    expect(beats.at(-1)?.resumedAt).toBeGreaterThan(20)
    expect((await openArtifacts(elsewhere).manifest(stage as Stage))?.outputs).toEqual(whole.outputs)
  })

  test('is a row of the pool', async () => {
    const pool = await readPool(artifacts, await manifestOf(planned.shadow?.pool))
    expect(pool).toMatchObject({ models: 12, samples: 1797 })
    for (const m of [0, 11]) {
      const { phi, members } = await readShadow(artifacts, await manifestOf(planned.shadow?.models[m]))
      expect(pool.values.subarray(m * 1797, (m + 1) * 1797)).toEqual(phi)
      expect(pool.members.subarray(m * 1797, (m + 1) * 1797)).toEqual(members)
    }
  })
})
