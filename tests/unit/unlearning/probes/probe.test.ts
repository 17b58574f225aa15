import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DeviceData } from '../../../../learning/data/device-data.ts'
import type { Host, Snapshot } from '../../../../learning/training/host.ts'
import { initialWeights, parameterSpecs, type Weights } from '../../../../learning/model/parameters.ts'
import { parametersOf } from '../../../../learning/model/predict.ts'
import { stream } from '../../../../learning/random.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { pooledFeatures } from '../../../../unlearning/probes/features.ts'
import { probe, type Probing } from '../../../../unlearning/probes/probe.ts'
import { deviceData, forget, retained, toyModels, trainedOriginal } from '../../../support/toy.ts'
import { valueOf } from '../evaluated-models.ts'

const layers = toyModels.cnn
let data: DeviceData
const original = trainedOriginal('cnn')

beforeAll(() => {
  data = deviceData()
})
afterAll(() => {
  data.dispose()
})

const fresh = () => initialWeights(parameterSpecs(layers), stream(2, 'fresh'))
const options = (weights: Weights): Probing => ({
  layers,
  names: ['*'],
  weights,
  gold: original,
  data,
  retained,
  forget,
  samples: 40,
  seed: 1,
})

describe('the probes of a model', () => {
  it('find what it was trained to tell, and its likeness to itself; tensors are let go', async () => {
    const before = tf.memory().numTensors
    const { layers: found, ...samples } = await probe(options(original))
    expect(tf.memory().numTensors).toBe(before)
    expect(samples).toEqual({ trained: 80, tested: 20, compared: { forget: 40, retained: 40 } })
    expect(found.map(({ name, features }) => [name, features])).toEqual([
      ['conv1', 4],
      ['conv2', 6],
      ['linear1', 12],
      ['head', 4],
    ])
    expect(valueOf(found[3]?.accuracy ?? { missing: 'head' })).toBeGreaterThan(90)
    for (const { cka } of found) {
      expect(valueOf(cka.forget)).toBeCloseTo(1, 4)
      expect(valueOf(cka.retained)).toBeCloseTo(1, 4)
    }
  })

  it('find an untrained one unlike', async () => {
    const found = (await probe(options(fresh()))).layers
    expect(valueOf(found[3]?.cka.retained ?? { missing: 'head' })).toBeLessThan(0.9)
  })

  it('say of dead features that there is nothing to find', async () => {
    const dead = { ...original, trained: new Float32Array(original.trained.length) }
    for (const { accuracy, cka } of (await probe(options(dead))).layers) {
      expect(accuracy).toEqual({ missing: 'the features are constant' })
      expect(cka.forget).toEqual({ missing: 'the features are constant' })
    }
    const [first] = (await probe({ ...options(original), gold: dead })).layers
    expect(first?.accuracy).toHaveProperty('value')
    expect(first?.cka.forget).toEqual({ missing: 'gold: the features are constant' })
  })

  it('are of the layers that are named', async () => {
    const { layers: found } = await probe({ ...options(original), names: ['conv*'] })
    expect(found.map(({ name }) => name)).toEqual(['conv1', 'conv2'])
    expect(found).toEqual((await probe(options(original))).layers.slice(0, 2))
  })

  it('go on from a snapshot to the same figures', async () => {
    let kept: Snapshot | undefined
    const stopping: Host = {
      async step(_, take) {
        kept = await take?.()
        if (kept?.step === 2) throw new Error('stopped')
      },
    }
    await expect(probe({ ...options(original), host: stopping })).rejects.toThrow('stopped')
    const resumed: Host = { snapshot: kept, step: () => Promise.resolve() }
    expect(await probe({ ...options(original), host: resumed })).toEqual(await probe(options(original)))
  })

  it('of a single forget sample have none to test on', async () => {
    const { layers: found } = await probe({ ...options(original), forget: forget.subarray(0, 1) })
    expect(found[0]?.accuracy).toEqual({ missing: 'no forget samples are left to test the probe on' })
    expect(found[0]?.cka.forget).toEqual({ missing: 'the features are constant' })
  })
})

describe('features', () => {
  it("are a layer's outputs, those of a convolution averaged over positions, whatever the batch", async () => {
    const parameters = parametersOf(layers, original)
    const names = ['conv1', 'head']
    const indices = retained.subarray(0, 270)
    const all = await pooledFeatures(layers, parameters, data, indices, { names })
    const one = await pooledFeatures(layers, parameters, data, indices.subarray(263, 264), { names })
    expect(all.conv1?.shape).toEqual([270, 4])
    expect(all.head?.shape).toEqual([270, 4])
    for (const name of names) {
      const row = await all[name]?.slice(263, 1).data()
      const alone = await one[name]?.data()
      row?.forEach((value, i) => expect(value).toBeCloseTo(alone?.[i] ?? NaN, 4))
    }
    tf.dispose([parameters, all, one])
  })
})
