import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DeviceData } from '../../../../learning/data/device-data.ts'
import type { Host, Snapshot } from '../../../../learning/training/host.ts'
import { initialWeights, parameterSpecs, type Weights } from '../../../../learning/model/parameters.ts'
import { stream } from '../../../../learning/random.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { featureDistances } from '../../../../unlearning/probes/feature-distance.ts'
import type { Probing } from '../../../../unlearning/probes/probe.ts'
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

describe('the distances of features', () => {
  it('of a model to itself are 0 in every layer; tensors are let go', async () => {
    const before = tf.memory().numTensors
    const { layers: found, compared } = await featureDistances(options(original))
    expect(tf.memory().numTensors).toBe(before)
    expect(compared).toEqual({ forget: 40, retained: 40 })
    expect(found.map(({ name, features }) => [name, features])).toEqual([
      ['conv1', 4],
      ['conv2', 6],
      ['linear1', 12],
      ['head', 4],
    ])
    for (const { distance } of found)
      for (const figure of [distance.forget, distance.retained]) expect(valueOf(figure)).toBeCloseTo(0, 4)
  })

  it('of an untrained model are large', async () => {
    const found = (await featureDistances(options(fresh()))).layers
    expect(valueOf(found[3]?.distance.retained ?? { missing: 'head' })).toBeGreaterThan(0.1)
  })

  it('of dead features are missing', async () => {
    const dead = { ...original, trained: new Float32Array(original.trained.length) }
    for (const { distance } of (await featureDistances(options(dead))).layers)
      expect(distance.forget).toEqual({ missing: 'the features are constant' })
  })

  it('are of the layers that are named, and of at most so many samples', async () => {
    const some = await featureDistances({ ...options(fresh()), names: ['conv*'] })
    expect(some.layers).toEqual((await featureDistances(options(fresh()))).layers.slice(0, 2))
    const few = await featureDistances({ ...options(fresh()), names: ['conv1'], samples: 9 })
    expect(few.compared).toEqual({ forget: 9, retained: 9 })
  })

  it('go on from a snapshot to the same figures', async () => {
    let kept: Snapshot | undefined
    const stopping: Host = {
      async step(_, take) {
        kept = await take?.()
        if (kept?.step === 2) throw new Error('stopped')
      },
    }
    await expect(featureDistances({ ...options(fresh()), host: stopping })).rejects.toThrow('stopped')
    const resumed: Host = { snapshot: kept, step: () => Promise.resolve() }
    expect(await featureDistances({ ...options(fresh()), host: resumed })).toEqual(
      await featureDistances(options(fresh())),
    )
  })
})
