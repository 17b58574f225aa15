import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { readDataset, readSplit, shardsOf } from '../../../../activities/runtime/blob-codecs.ts'
import { stageActivity } from '../../../../activities/runtime/stage.ts'
import { datasetStage } from '../../../../activities/stages/dataset.ts'
import { readLogits } from '../../../../activities/stages/logits.ts'
import { decodeTensors, encodeTensors } from '../../../../artifacts/format/safetensors.ts'
import type { Architecture } from '../../../../experiment/models/pretrained.ts'
import { stagesOf } from '../../../../experiment/stages/stage-list.ts'
import { trueLogProbabilities } from '../../../../unlearning/metrics/logits.ts'
import { computeConfig } from '../../../support/computed-config.ts'
import type { ComputedPlan } from '../../../support/computed-plan.ts'
import { testDirectory } from '../../../support/directories.ts'
import { tinyResnet, tinyVit, writeCheckpoint } from '../../../support/tiny-checkpoint.ts'

/** External programs in experiments with every form of model, split and data. */

const programs = fileURLToPath(new URL('../../../fixtures/programs/node', import.meta.url))

/**
 * Writes a config, the programs of the tests and a pre-trained model into a directory. Returns the
 * path of the config.
 */
function written(text: string, architecture?: Architecture): string {
  const directory = testDirectory()
  cpSync(programs, directory, { recursive: true })
  if (architecture)
    writeCheckpoint(join(directory, 'base'), architecture, {
      ...(architecture.kind === 'vit' && {
        preprocessor: { image_processor_type: 'ViTImageProcessor', size: 8 },
      }),
    })
  const config = join(directory, 'config.yaml')
  writeFileSync(config, text)
  return config
}

const unlearnOf = ({ plan }: ComputedPlan, label: string) =>
  plan.candidates.find((candidate) => candidate.label === label)?.unlearn

async function tensorsOf(computed: ComputedPlan, label?: string) {
  const { manifestOf, artifacts, plan } = computed
  const manifest = await manifestOf(label === undefined ? plan.original : unlearnOf(computed, label))
  const { model } = manifest.outputs
  if (!model) throw new Error(`${label ?? 'the original'} has no weights`)
  return decodeTensors(await artifacts.getBlob(model)).tensors
}

describe('a program on a pre-trained model', () => {
  const config = (row: string) => `
name: pretrained
data: { name: digits }
split: { kind: class, classes: [3] }
model: { name: pretrained, from: base }
training: { epochs: 1, batchSize: 64, optimizer: { name: adam, learningRate: 0.005 } }
gold: { models: 1 }
methods:
  - { method: external, label: mine, ${row} }
`
  const task = '"$(dirname "$ZEROSHIFT_TASK")"'

  test.each<[string, Architecture]>([
    ['a vision transformer', tinyVit],
    ['a ResNet with statistics and counters', tinyResnet],
  ])('gets the weights of %s in published form, and leaves them in that form', async (_, architecture) => {
    const copy = `cp ${task}/original/model.safetensors ${task}/output`
    const computed = await computeConfig(written(config(`command: '${copy}'`), architecture))
    const original = await tensorsOf(computed)
    expect(Object.keys(original).length).toBeGreaterThan(5)
    expect(await tensorsOf(computed, 'mine')).toEqual(original)
    const judged = await computed.manifestOf(computed.plan.candidates[0]?.compare)
    expect(judged.metrics).toHaveProperty('jsDivergence')
  })

  test('leaves an adapter, which is merged into the original', async () => {
    const file = written(
      config(`command: 'cp adapter/* ${task}/output', files: ['adapter/*'], result: adapter`),
      tinyVit,
    )
    const adapter = join(file, '../adapter')
    mkdirSync(adapter)
    const settings = { peft_type: 'LORA', r: 1, lora_alpha: 2, target_modules: ['classifier'] }
    writeFileSync(join(adapter, 'adapter_config.json'), JSON.stringify(settings))
    const vector = (size: number, first: number) =>
      Float32Array.from({ length: size }, (__, i) => first * (i + 1))
    const [a, b] = [vector(tinyVit.width, 0.25), vector(10, -0.5)]
    const prefix = 'base_model.model.classifier.lora_'
    writeFileSync(
      join(adapter, 'adapter_model.safetensors'),
      encodeTensors({
        [`${prefix}A.weight`]: { dtype: 'F32', shape: [1, tinyVit.width], values: a },
        [`${prefix}B.weight`]: { dtype: 'F32', shape: [10, 1], values: b },
      }),
    )
    const computed = await computeConfig(file)
    const [original, mine] = [await tensorsOf(computed), await tensorsOf(computed, 'mine')]
    const changed = Object.keys(original).filter(
      (name) => String(original[name]?.values) !== String(mine[name]?.values),
    )
    expect(changed).toEqual(['classifier.weight'])
    // The model has W [in, out], and the update is 2·A·B.
    const differences = Array.from(
      mine['classifier.weight']?.values ?? [],
      (value, i) => Number(value) - Number(original['classifier.weight']?.values[i]),
    )
    differences.forEach((difference, i) => {
      expect(difference).toBeCloseTo(2 * (a[Math.floor(i / 10)] ?? NaN) * (b[i % 10] ?? NaN), 5)
    })
  })
})

const external = `command: node centroids.mjs, predict: node centroids.mjs, files: ['*.mjs']`
const rows = `
methods:
  - { method: external, label: anew, ${external}, options: { steps: 2 } }
  - { method: external, label: outputs, command: node centroids.mjs, files: ['*.mjs'], options: { keep: true }, result: logits }
`

describe('a split by what the original makes of its samples', () => {
  test.each([
    ['highest-loss', 1],
    ['lowest-loss', -1],
  ])('ranks them by the logits of a program: %s', async (by, sign) => {
    const { plan, artifacts, manifestOf } = await computeConfig(
      written(`
name: hard
data: { name: digits }
split: { kind: hard, by: ${by}, count: 30 }
model: { name: external, ${external} }
gold: { models: 1 }
${rows}`),
    )
    const { train } = await readDataset(artifacts, await manifestOf(plan.dataset))
    const { retained: logits } = await readLogits(artifacts, await manifestOf(plan.ranking))
    const losses = new Map([...trueLogProbabilities(logits)].map((log, i) => [train[i], -sign * log]))
    const { forget, retained } = await readSplit(artifacts, await manifestOf(plan.split))
    const lossesOf = (indices: Int32Array) => [...indices].map((i) => losses.get(i) ?? NaN)
    expect(forget).toHaveLength(30)
    expect(Math.min(...lossesOf(forget))).toBeGreaterThanOrEqual(Math.max(...lossesOf(retained)))
  })
})

test('programs get the same of a data set in shards as of one blob', async () => {
  const config = written(`
name: shards
data: { name: digits }
split: { kind: class, classes: [3] }
model: { name: external, ${external} }
gold: { models: 1 }
${rows}`)
  const digests = async ({ plan, manifestOf }: ComputedPlan) =>
    Promise.all(
      stagesOf(plan)
        .filter(({ kind }) => ['train', 'unlearn', 'evaluate'].includes(kind))
        .map(async (stage) => {
          const { outputs, metrics } = await manifestOf(stage)
          return { title: stage.title, outputs, metrics }
        }),
    )
  const whole = await computeConfig(config)
  const inShards = stageActivity('dataset', () => Promise.resolve(datasetStage(0, 10_000)))
  const cut = await computeConfig(config, { dataset: inShards })
  expect(shardsOf(await whole.manifestOf(whole.plan.dataset))).toEqual([])
  expect(shardsOf(await cut.manifestOf(cut.plan.dataset))).toHaveLength(12)
  expect(await digests(cut)).toEqual(await digests(whole))
})
