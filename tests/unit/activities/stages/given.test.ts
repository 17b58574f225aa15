import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { inspectModel, type WantedModel } from '../../../../activities/inputs/given-model.ts'
import { readLogits } from '../../../../activities/stages/logits.ts'
import { encodeGivenLogits } from '../../../../activities/stages/given-logits.ts'
import { decodeTensors, encodeTensors } from '../../../../artifacts/format/safetensors.ts'
import { NO_GOLD } from '../../../../experiment/records/no-gold.ts'
import { evaluatedSets } from '../../../../experiment/records/measured.ts'
import { filesDigest, filesOf, type GivenModel } from '../../../../experiment/spec/given.ts'
import { specSchema, type Spec } from '../../../../experiment/spec/spec.ts'
import { readDataset, readSplit } from '../../../../activities/runtime/blob-codecs.ts'
import { computePlan, type ComputedPlan } from '../../../support/computed-plan.ts'
import { fileDirectory } from '../../../support/directories.ts'

/** Models from elsewhere: a second experiment takes those of a first one unchanged. */

const asked = {
  name: 'given',
  data: { name: 'digits', validation: 0.1 },
  split: { kind: 'random', count: 60 },
  model: { name: 'mlp', hidden: [8] },
  training: { epochs: 1, batchSize: 64 },
}
const wanted: WantedModel = { path: 'original.from', isPretrained: false, isRow: true }

let directory: string
let first: ComputedPlan
let second: ComputedPlan
let given: Readonly<Record<'weights' | 'logits', GivenModel>>
beforeAll(async () => {
  directory = fileDirectory()
  first = await computePlan(
    specSchema.parse({ ...asked, gold: { models: 1 }, methods: [{ method: 'finetune', epochs: 1 }] }),
  )
  const trained = await first.manifestOf(first.plan.original)
  const unlearned = await first.manifestOf(first.plan.candidates[0]?.unlearn)
  const blob = async (of: typeof trained | typeof unlearned) =>
    first.artifacts.getBlob(of.outputs.model ?? { sha256: '', bytes: 0 })
  writeFileSync(join(directory, 'model.safetensors'), await blob(trained))
  writeFileSync(join(directory, 'unlearned.safetensors'), await blob(unlearned))

  // The logits of the unlearned model, in the order of the data set.
  const split = await readSplit(first.artifacts, await first.manifestOf(first.plan.split))
  const { labels } = await readDataset(first.artifacts, await first.manifestOf(first.plan.dataset))
  const logits = await readLogits(first.artifacts, await first.manifestOf(first.plan.candidates[0]?.evaluate))
  const values = new Float32Array(labels.length * 10)
  for (const set of evaluatedSets)
    split[set].forEach((index, i) => {
      values.set(logits[set].values.subarray(10 * i, 10 * (i + 1)), 10 * index)
    })
  mkdirSync(join(directory, 'logits'))
  writeFileSync(
    join(directory, 'logits/logits.safetensors'),
    encodeGivenLogits({ values, rows: labels.length, classes: 10 }),
  )

  const [original, weights, ofLogits] = await Promise.all(
    ['model.safetensors', 'unlearned.safetensors', 'logits'].map(
      async (place) => (await inspectModel(join(directory, place), wanted)).given,
    ),
  )
  if (!original || !weights || !ofLogits) throw new Error('a model was not inspected')
  given = { weights, logits: ofLogits }
  const spec: Spec = specSchema.parse({
    ...asked,
    original: { given: original },
    gold: 'none',
    relearn: { maxSteps: 2 },
    probe: {},
    methods: [
      { method: 'original' },
      { method: 'weights', label: 'weights', given: weights },
      { method: 'weights', label: 'logits', given: ofLogits },
      { method: 'finetune', epochs: 1 },
    ],
  })
  second = await computePlan(spec, {
    [filesDigest(filesOf(original))]: join(directory, 'model.safetensors'),
    [filesDigest(filesOf(weights))]: join(directory, 'unlearned.safetensors'),
    [filesDigest(filesOf(ofLogits))]: join(directory, 'logits'),
  })
}, 300_000)

const row = (label: string) => {
  const found = second.plan.candidates.find((one) => one.label === label)
  if (!found) throw new Error(`there is no row ${label}`)
  return found
}

describe('a model from elsewhere', () => {
  test('has the bytes of the file, and methods make the same of it as where it was trained', async () => {
    const [there, here] = [
      await first.manifestOf(first.plan.original),
      await second.manifestOf(second.plan.original),
    ]
    expect(here.outputs.model).toEqual(there.outputs.model)
    expect(here.metrics.steps).toBe(0)
    const [before, after] = [
      await first.manifestOf(first.plan.candidates[0]?.unlearn),
      await second.manifestOf(row('finetune').unlearn),
    ]
    expect(after.outputs.model).toEqual(before.outputs.model)
  })

  test('is judged as the row that made it, by its weights or by its logits', async () => {
    const made = await second.manifestOf(row('finetune').compare)
    for (const label of ['weights', 'logits'])
      expect((await second.manifestOf(row(label).compare)).metrics).toEqual(made.metrics)
    expect(made.metrics.averageGap).toEqual({ missing: NO_GOLD })
    expect(made.metrics.zrf).toHaveProperty('value')
    expect(made.metrics.validationGap).toHaveProperty('value')
  })

  test('without gold, probes have accuracies and no similarity', async () => {
    const { layers } = (await second.manifestOf(row('weights').probe)).metrics
    expect(layers[0]?.accuracy).toHaveProperty('value')
    expect(layers[0]?.cka.forget).toEqual({ missing: NO_GOLD })
    expect(row('logits').probe).toBeUndefined()
  })

  test.each<[string, () => void, string]>([
    ['changed', () => writeFileSync(join(directory, 'model.safetensors'), 'other bytes'), 'has the SHA-256'],
  ])('whose file was %s after the planning is refused', async (_, change, message) => {
    change()
    const { plannedFiles } = await import('../../../../activities/inputs/given-model.ts')
    const original = second.plan.given?.[0]?.params
    const files = original && 'given' in original ? original.given.files : []
    await expect(plannedFiles(join(directory, 'model.safetensors'), files)).rejects.toThrow(message)
  })
})

describe('the files of a model', () => {
  const inspected = (place: string, more: Partial<WantedModel> = {}) =>
    inspectModel(join(directory, place), { ...wanted, ...more })

  test('are identified by their digests', () => {
    expect(given.weights.kind).toBe('weights')
    expect(filesOf(given.weights)[0]).toMatchObject({ name: 'unlearned.safetensors' })
    expect(given.logits.kind).toBe('logits')
  })

  test('are refused where they are no weights', async () => {
    await expect(inspected('logits', { isRow: false })).rejects.toThrow(
      'logits.safetensors has logits, and weights are needed here',
    )
    mkdirSync(join(directory, 'pickle'))
    writeFileSync(join(directory, 'pickle/model.pt'), '')
    await expect(inspected('pickle')).rejects.toThrow(
      /model\.pt is a pickle.*`import torch, safetensors\.torch`.*torch\.load\("model\.pt".*"model\.safetensors"\)`$/,
    )
    mkdirSync(join(directory, 'two'))
    for (const name of ['a', 'b']) writeFileSync(join(directory, `two/${name}.safetensors`), '')
    await expect(inspected('two')).rejects.toThrow(
      'holds several files of safetensors (a.safetensors, b.safetensors); name one of them',
    )
    await expect(inspected('nowhere')).rejects.toThrow('there is no directory')
  })

  test('name every tensor that is missing, unknown or of another shape', async () => {
    const { refuseOtherTensors } = await import('../../../../activities/inputs/given-weights.ts')
    const { layersOf } = await import('../../../../experiment/models/model.ts')
    const layers = layersOf({ name: 'mlp', hidden: [8] }, [8, 8, 1], 10)
    const bytes = encodeTensors({
      'linear1.weight': { dtype: 'F32', shape: [8, 64], values: new Float32Array(512) },
      'linear1.bias': { dtype: 'I32', shape: [8], values: new Int32Array(8) },
      'head.weight': { dtype: 'F32', shape: [8, 10], values: new Float32Array(80) },
      other: { dtype: 'F32', shape: [1], values: new Float32Array(1) },
    })
    expect(() => {
      refuseOtherTensors(layers, decodeTensors(bytes).tensors, 'x.safetensors')
    }).toThrow(
      'x.safetensors: the tensors are not those of the model in the config: "linear1.weight" has the shape [8, 64], expected [64, 8]; ' +
        '"linear1.bias" has the type I32, expected F32, F16, BF16; "head.bias" [10] is missing; "other" [1] is not of this model',
    )
  })
})
