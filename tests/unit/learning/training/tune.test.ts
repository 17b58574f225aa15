import { describe, expect, test } from 'vitest'
import { architectureLayers } from '../../../../experiment/models/model.ts'
import { trainingSchema } from '../../../../experiment/spec/training.ts'
import { DeviceData } from '../../../../learning/data/device-data.ts'
import { tuneModel, type TuneSpec } from '../../../../learning/training/tune.ts'
import type { Snapshot } from '../../../../learning/training/host.ts'
import {
  initialWeights,
  parameterSpecs,
  unpackArrays,
  type Weights,
} from '../../../../learning/model/parameters.ts'
import { parametersOf, predict } from '../../../../learning/model/predict.ts'
import { stream } from '../../../../learning/random.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { tinyResnet, tinyVit } from '../../../support/tiny-checkpoint.ts'

/** 120 pictures of 8×8 in three colours, one class a colour. */
const labels = Int32Array.from({ length: 120 }, (_, i) => i % 3)
const noise = stream(1, 'pictures')
const images = Uint8Array.from({ length: 120 * 192 }, (_, p) => {
  const [i, channel] = [Math.floor(p / 192), p % 3]
  return Math.min(255, (labels[i] === channel ? 150 : 60) + Math.floor(60 * noise.uniform()))
})
const indices = Int32Array.from(labels, (_, i) => i)
const data = () =>
  new DeviceData(images, labels, {
    shape: [8, 8, 3],
    classes: 3,
    mean: [120, 120, 120],
    deviation: [60, 60, 60],
  })

const training = (augment = {}) =>
  trainingSchema.parse({ epochs: 6, batchSize: 20, optimizer: { name: 'adam', learningRate: 0.02 }, augment })
const head: TuneSpec = { what: 'head' }
const lora: TuneSpec = { what: 'lora', rank: 2, rslora: false, layers: ['*'] }

const models = { vit: architectureLayers(tinyVit, 3), resnet: architectureLayers(tinyResnet, 3) }
const initialOf = (layers: (typeof models)['vit']): Weights => {
  const weights = initialWeights(parameterSpecs(layers), stream(3, 'initial'))
  // Not the defaults: what stays can be told from what is set anew.
  return { trained: weights.trained, statistics: weights.statistics.map((value) => value + 0.25) }
}

async function fitted(name: keyof typeof models, tune: TuneSpec, augment = {}, snapshot?: Snapshot) {
  const layers = models[name]
  const pictures = data()
  const taken: Snapshot[] = []
  const spec = training(augment)
  try {
    const result = await tuneModel(tune, {
      ...spec,
      layers,
      initial: initialOf(layers),
      data: pictures,
      indices,
      training: spec,
      seed: 1,
      purpose: 'test',
      host: {
        snapshot,
        step: async ({ step }, take) => {
          if (step === 10 && take) taken.push(await take())
        },
      },
    })
    const parameters = parametersOf(layers, result.weights)
    const logits = await predict(layers, parameters, pictures, indices, 60)
    tf.dispose(parameters)
    const hits = indices.filter((i) => {
      const row = [...logits.subarray(3 * i, 3 * i + 3)]
      return row.indexOf(Math.max(...row)) === labels[i]
    })
    return { ...result, accuracy: hits.length / indices.length, taken }
  } finally {
    pictures.dispose()
  }
}

/** Names of the parameters that differ from the initial ones. */
function changed(name: keyof typeof models, { trained, statistics }: Weights): readonly string[] {
  const specs = parameterSpecs(models[name])
  const initial = initialOf(models[name])
  const [before, after] = [
    {
      ...unpackArrays(specs.trained, initial.trained),
      ...unpackArrays(specs.statistics, initial.statistics),
    },
    { ...unpackArrays(specs.trained, trained), ...unpackArrays(specs.statistics, statistics) },
  ]
  return Object.keys(before).filter((key) =>
    before[key]?.values.some((value, i) => value !== after[key]?.values[i]),
  )
}

describe.each(['vit', 'resnet'] as const)('%s', (name) => {
  const last = models[name].at(-1)?.name ?? ''

  test.each([{}, { flip: true }])(
    'a linear probe learns, and changes the head alone (augment: %o)',
    async (augment) => {
      const { weights, accuracy, steps } = await fitted(name, head, augment)
      // Chance is a third; random features of the residual network tell little.
      expect(accuracy).toBeGreaterThan(0.5)
      expect(steps).toBe(36)
      expect(changed(name, weights)).toEqual([`${last}.weight`, `${last}.bias`])
    },
  )

  test('adapters learn, are merged, and leave biases, norms and statistics alone', async () => {
    const { weights, accuracy } = await fitted(name, lora)
    expect(accuracy).toBeGreaterThan(0.9)
    const names = changed(name, weights)
    expect(names).toContain(`${last}.bias`)
    expect(names.filter((key) => key !== `${last}.bias`).every((key) => key.endsWith('.weight'))).toBe(true)
    expect(names.length).toBeGreaterThan(4)
  })

  test.each([head, lora])('goes on from a snapshot to the same bytes (%o)', async (tune) => {
    const whole = await fitted(name, tune)
    const [snapshot] = whole.taken
    const resumed = await fitted(name, tune, {}, snapshot)
    expect(resumed.weights).toEqual(whole.weights)
    expect(resumed.curve).toEqual(whole.curve)
  })
})

test('no tensor is left behind', async () => {
  const before = tf.memory().numTensors
  await fitted('resnet', lora)
  await fitted('vit', head)
  expect(tf.memory().numTensors).toBe(before)
})
