import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Layer } from '../../../../experiment/models/layers.ts'
import { labelsAt, type DeviceData } from '../../../../learning/data/device-data.ts'
import type { Host, Snapshot } from '../../../../learning/training/host.ts'
import { initialWeights, parameterSpecs, type Weights } from '../../../../learning/model/parameters.ts'
import { parametersOf, predict } from '../../../../learning/model/predict.ts'
import { stream } from '../../../../learning/random.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import type { Logits } from '../../../../unlearning/metrics/logits.ts'
import { relearn, type Relearning } from '../../../../unlearning/probes/relearn.ts'
import {
  accuracyOn,
  deviceData,
  forget,
  labels,
  toyModels,
  training,
  trainedOriginal,
} from '../../../support/toy.ts'
import { valueOf } from '../evaluated-models.ts'

const models = Object.entries(toyModels)
let data: DeviceData
const originals = new Map<string, { weights: Weights; logits: Logits }>()

beforeAll(async () => {
  data = deviceData()
  for (const name of ['cnn', 'resnet'] as const) {
    const layers = toyModels[name]
    const weights = trainedOriginal(name)
    const parameters = parametersOf(layers, weights)
    const values = await predict(layers, parameters, data, forget, 128)
    tf.dispose(parameters)
    originals.set(name, { weights, logits: { values, labels: labelsAt(labels, forget), classes: 4 } })
  }
}, 120_000)
afterAll(() => {
  data.dispose()
})

function original(name: string) {
  const found = originals.get(name)
  if (!found) throw new Error(`no model is called ${name}`)
  return found
}

const fresh = (layers: readonly Layer[]) => initialWeights(parameterSpecs(layers), stream(2, 'fresh'))
const options = (name: string, layers: readonly Layer[], initial: Weights): Relearning => ({
  layers,
  initial,
  data,
  forget,
  original: original(name).logits,
  maxSteps: 60,
  batchSize: 16,
  optimizer: training.optimizer,
  every: 1,
  augment: training.augment,
  seed: 1,
})

describe.each(models)('relearning of a %s', (name, layers) => {
  it('takes the original no step, and a new model some', async () => {
    const before = tf.memory().numTensors
    const { weights } = original(name)
    const own = await relearn(options(name, layers, weights))
    expect(own.steps).toEqual({ value: 0 })
    expect(own.curve).toHaveLength(1)
    const other = await relearn(options(name, layers, fresh(layers)))
    expect(valueOf(other.steps)).toBeGreaterThan(0)
    expect(tf.memory().numTensors).toBe(before)
  })

  it('ends at the first look that finds the accuracy within 5 points of the original', async () => {
    const { steps, wanted = NaN, curve, samples } = await relearn(options(name, layers, fresh(layers)))
    const fa = await accuracyOn(forget, layers, original(name).weights, data)
    expect(wanted).toBeCloseTo(fa - 5, 10)
    expect(samples).toBe(100)
    expect(curve.map(({ step }) => step)).toEqual(curve.map((_, i) => i))
    for (const { accuracy } of curve.slice(0, -1)) expect(accuracy).toBeLessThan(wanted)
    expect(curve.at(-1)?.accuracy).toBeGreaterThanOrEqual(wanted)
    expect(valueOf(steps)).toBe(curve.at(-1)?.step)
  })

  it('looks at the model as it is used, with its running statistics', async () => {
    const initial = fresh(layers)
    const { curve } = await relearn(options(name, layers, initial))
    expect(curve[0]?.accuracy).toBe(await accuracyOn(forget, layers, initial, data))
  })

  it('goes on from a snapshot to the same figures', async () => {
    const initial = fresh(layers)
    // The rate is low, so that there is a middle to stop in.
    const slow = {
      ...options(name, layers, initial),
      optimizer: { ...training.optimizer, learningRate: 1e-4 },
    }
    const whole = await relearn({ ...slow, maxSteps: 12 })
    let kept: Snapshot | undefined
    const stopping: Host = {
      async step({ step }, take) {
        if (step !== 5 || !take) return
        kept = await take()
        throw new Error('stopped')
      },
    }
    await expect(relearn({ ...slow, maxSteps: 12, host: stopping })).rejects.toThrow('stopped')
    expect(kept?.step).toBe(5)
    const resumed: Host = { snapshot: kept, step: () => Promise.resolve() }
    expect(await relearn({ ...slow, maxSteps: 12, host: resumed })).toEqual(whole)
  })
})

describe('relearning', () => {
  const [[name, layers] = ['', []]] = models

  it('is given up after so many steps, and says so', async () => {
    const stuck = { ...training.optimizer, learningRate: 1e-9 }
    const result = await relearn({
      ...options(name, layers, fresh(layers)),
      maxSteps: 7,
      every: 3,
      optimizer: stuck,
    })
    expect(result.steps).toEqual({ missing: 'not within 7 steps' })
    expect(result.curve.map(({ step }) => step)).toEqual([0, 3, 6, 7])
  })

  it('has no goal where the original has no outputs', async () => {
    const { logits } = original(name)
    const broken = { ...logits, values: logits.values.map(() => NaN) }
    const result = await relearn({ ...options(name, layers, fresh(layers)), original: broken })
    expect(result).toEqual({
      steps: { missing: 'original: the logits are not finite' },
      samples: 100,
      curve: [],
    })
  })
})
