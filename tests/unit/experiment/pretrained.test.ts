import { describe, expect, test } from 'vitest'
import type { CheckpointFacts } from '../../../experiment/models/pretrained.ts'
import { checkSpec } from '../../../experiment/spec/check.ts'
import { parseConfig } from '../../../experiment/spec/config.ts'
import { layersOf } from '../../../experiment/models/model.ts'
import { plan } from '../../../experiment/plan/plan.ts'
import type { Spec } from '../../../experiment/spec/spec.ts'
import { trainingSchema, type TrainingSpec } from '../../../experiment/spec/training.ts'
import { stagesOf } from '../../../experiment/stages/stage-list.ts'
import { tinyResnet, tinyVit } from '../../support/tiny-checkpoint.ts'
import { digitFacts, edited, problemsOf } from './sample.ts'

const checkpoint: CheckpointFacts = {
  architecture: tinyVit,
  classes: 10,
  preparation: { filter: 'bilinear', resize: { to: [8, 8] } },
  files: [{ name: 'model.safetensors', sha256: 'a'.repeat(64), bytes: 1 }],
}

const { spec: base, locate } = parseConfig({
  file: 'a.yaml',
  text: edited("['linear*']", "['*.query']"),
  overrides: [],
})
const specOf = (facts: CheckpointFacts, from?: string): Spec => ({
  ...base,
  model: { name: 'pretrained', head: 'auto', checkpoint: facts, ...(from !== undefined && { from }) },
})
const problems = (spec: Spec, facts = digitFacts) =>
  problemsOf(() => {
    checkSpec(spec, facts, locate)
  }).map(({ path, message }) => `${path ?? ''}: ${message}`)

describe('what a pre-trained model asks of the data', () => {
  test('grey images, and the size that they are resized to, are right', () => {
    expect(problems(specOf(checkpoint))).toEqual([])
    expect(
      problems({
        ...specOf(checkpoint),
        training: trainingSchema.parse({ ...base.training, tune: { what: 'head' } }),
      }),
    ).toEqual([])
  })

  test('a size that the model does not take', () => {
    const { preparation } = checkpoint
    expect(
      problems(specOf({ ...checkpoint, preparation: { ...preparation, resize: { to: [16, 16] } } })),
    ).toEqual([
      expect.stringContaining("model: digits's 8×8 images come out at 16×16, and the model takes 8×8"),
    ])
  })

  test('another number of channels', () => {
    const architecture = { ...tinyVit, channels: 4 }
    expect(problems(specOf({ ...checkpoint, architecture }), { ...digitFacts, shape: [8, 8, 3] })).toEqual([
      "model: the model takes images of 4 channels, and digits's have 3",
    ])
  })
})

describe('what of a model is trained', () => {
  const tuned = (tune: TrainingSpec['tune'], spec = specOf(checkpoint)) =>
    problems({ ...spec, training: trainingSchema.parse({ ...spec.training, tune }) })
  const adapters = { what: 'lora' as const, rank: 2, rslora: false, layers: ['*'] }

  test('a part only of a pre-trained one', () => {
    const own: Spec = { ...base, methods: base.methods.slice(0, 1) }
    expect(tuned({ what: 'head' }, own)).toEqual([
      expect.stringContaining('training.tune: mlp starts from new weights, all of which have to be trained'),
    ])
  })

  test('layers that there are, of a rank that they take; the head is trained whole', () => {
    expect(tuned({ ...adapters, layers: ['*'] })).toEqual([])
    expect(tuned({ ...adapters, layers: ['classifier'] })).toEqual([
      expect.stringContaining('training.tune.layers[0]: "classifier" matches no layer'),
    ])
    expect(tuned({ ...adapters, rank: 13 })).toEqual([expect.stringContaining('training.tune.rank: rank 13')])
  })

  test('all of it, said or not, is one experiment', () => {
    const of = (tune: string) =>
      parseConfig({ file: 'a.yaml', text: edited('epochs: 5', `epochs: 5\n${tune}`), overrides: [] }).spec
    expect(of('  tune: { what: all }')).toEqual(of(''))
  })
})

describe('the plan', () => {
  test('has one checkpoint, from which original, gold and shadow models start, and the twin does not', () => {
    const spec: Spec = {
      ...specOf(checkpoint),
      shadow: { models: 8 },
      split: { kind: 'hard', by: 'highest-loss', count: 5 },
    }
    const planned = plan(spec, digitFacts)
    const key = planned.checkpoint?.key
    const starting = [planned.original, ...planned.gold, ...(planned.shadow?.models ?? [])]
    expect(starting.map(({ inputs }) => inputs.checkpoint?.key)).toEqual(starting.map(() => key))
    expect(planned.twin?.model.inputs.checkpoint).toBeUndefined()
    // A hard split is ranked by that very original.
    expect(planned.ranking?.inputs.model.key).toBe(planned.original.key)
    const order = stagesOf(planned).map((stage) => stage.key)
    expect(order.indexOf(key ?? '')).toBeLessThan(order.indexOf(planned.original.key))
  })

  test('depends on what the files are, not on where', () => {
    const keys = (spec: Spec) => stagesOf(plan(spec, digitFacts)).map(({ key }) => key)
    expect(keys(specOf(checkpoint, 'hf://a/b'))).toEqual(keys(specOf(checkpoint, './there')))
    const [file] = checkpoint.files
    const other = { ...checkpoint, files: file ? [{ ...file, sha256: 'b'.repeat(64) }] : [] }
    expect(keys(specOf(other))).not.toContain(plan(specOf(checkpoint), digitFacts).original.key)
  })
})

test('layers have the names of published checkpoints', () => {
  const names = (architecture: CheckpointFacts['architecture']) =>
    layersOf(
      { name: 'pretrained', head: 'auto', checkpoint: { ...checkpoint, architecture } },
      [8, 8, 3],
      10,
    ).map(({ name }) => name)
  expect(names(tinyVit)).toEqual([
    'vit.embeddings.patch_embeddings.projection',
    'vit.embeddings',
    'vit.encoder.layer.0.attended',
    'vit.encoder.layer.0',
    'vit.encoder.layer.1.attended',
    'vit.encoder.layer.1',
    'vit.layernorm',
    'tokens',
    'classifier',
  ])
  expect(names(tinyResnet).at(-1)).toBe('classifier.1')
})
