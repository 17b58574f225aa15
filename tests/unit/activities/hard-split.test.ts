import { expect } from 'vitest'
import { findDataDirectory } from '../../../activities/inputs/data-directory.ts'
import { createActivities } from '../../../activities/index.ts'
import { readLogits } from '../../../activities/stages/logits.ts'
import { readDataset, readSplit } from '../../../activities/runtime/blob-codecs.ts'
import type { Manifest, ManifestOf } from '../../../experiment/records/manifest.ts'
import { plan } from '../../../experiment/plan/plan.ts'
import { specSchema } from '../../../experiment/spec/spec.ts'
import type { Stage, StageKind, StageOf } from '../../../experiment/stages/stage.ts'
import { inspectDataset } from '../../../datasets/index.ts'
import { trueLogProbabilities } from '../../../unlearning/metrics/logits.ts'
import { quietEnvironment } from '../../support/activity-environment.ts'
import { test } from '../../support/fixtures.ts'

test('what the original makes of its training samples decides what is forgotten', async ({
  directory: store,
  artifacts,
}) => {
  const spec = specSchema.parse({
    name: 'hard',
    data: { name: 'digits', validation: 0.1 },
    split: { kind: 'hard', by: 'highest-loss', count: 20 },
    model: { name: 'mlp', hidden: [16] },
    training: { epochs: 2 },
    methods: [{ method: 'original' }],
  })
  const facts = await inspectDataset(spec.data, await findDataDirectory(spec.data, {}))
  const { dataset, original, ranking, split } = plan(spec, facts)
  if (!ranking) throw new Error('a hard split has a ranking')
  const all = createActivities()
  for (const stage of [dataset, original, ranking, split] as readonly Stage[]) {
    const environment = quietEnvironment()
    const activity = all[stage.kind] as (task: object) => Promise<object>
    await environment.run(activity, { stage, settings: { store } })
  }

  const manifestOf = async <K extends StageKind>(stage: StageOf<K>) => {
    const manifest: Manifest | undefined = await artifacts.manifest(stage)
    if (!manifest) throw new Error(`${stage.title} left no manifest`)
    return manifest as ManifestOf<K>
  }
  const { train, labels } = await readDataset(artifacts, await manifestOf(dataset))
  const { retained: logits, test: tested } = await readLogits(artifacts, await manifestOf(ranking))
  expect(logits.labels).toEqual(train.map((i) => labels[i] ?? -1))
  expect(tested.labels).toHaveLength(0)

  const { forget, retained } = await readSplit(artifacts, await manifestOf(split))
  expect(forget).toHaveLength(20)
  const losses = new Map([...trueLogProbabilities(logits)].map((log, i) => [train[i], -log]))
  const lossesOf = (indices: Int32Array) => [...indices].map((i) => losses.get(i) ?? NaN)
  expect(Math.min(...lossesOf(forget))).toBeGreaterThan(Math.max(...lossesOf(retained)))
})
