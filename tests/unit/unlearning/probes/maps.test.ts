import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mapSets, type FeatureMaps } from '../../../../experiment/records/feature-maps.ts'
import { initialWeights, parameterSpecs, type Weights } from '../../../../learning/model/parameters.ts'
import type { DeviceData } from '../../../../learning/data/device-data.ts'
import { stream } from '../../../../learning/random.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import type { Host, Snapshot } from '../../../../learning/training/host.ts'
import { featureMaps, type Mapping } from '../../../../unlearning/probes/maps.ts'
import { deviceData, forget, retained, toyModels, trainedOriginal } from '../../../support/toy.ts'
import { valueOf } from '../evaluated-models.ts'

const layers = toyModels.cnn
let data: DeviceData
const gold = trainedOriginal('cnn')
const fresh = initialWeights(parameterSpecs(layers), stream(2, 'fresh'))

beforeAll(() => {
  data = deviceData()
})
afterAll(() => {
  data.dispose()
})

const mapping = (weights: Weights, changed: Partial<Mapping> = {}): Mapping => ({
  layers,
  options: { samples: 20, neighbours: 6, minDistance: 0.1 },
  weights,
  gold,
  data,
  // The toy data have no test set: other samples of D_r take its place.
  sets: {
    forget,
    retained: retained.filter((_, i) => i % 2 === 0),
    test: retained.filter((_, i) => i % 2 === 1),
  },
  seed: 1,
  ...changed,
})

function pointsOf({ points }: FeatureMaps) {
  if ('missing' in points) throw new Error(points.missing)
  return points
}

describe('feature maps', () => {
  it('have a place for each chosen sample of each set, and leave no tensors', async () => {
    const before = tf.memory().numTensors
    const { maps, metrics } = await featureMaps(mapping(fresh))
    expect(tf.memory().numTensors).toBe(before)
    expect(metrics.drawn).toEqual({ forget: 20, retained: 20, test: 20 })
    expect(maps.samples.map(({ set }) => set)).toEqual(mapSets.flatMap((set) => Array<string>(20).fill(set)))
    expect(new Set(maps.samples.map(({ index }) => index)).size).toBe(60)
    for (const { set, index, label } of maps.samples) {
      expect(mapping(fresh).sets[set]).toContain(index)
      expect(label).toBe(data.labels[index])
    }
    const { umap, pca } = pointsOf(maps)
    expect([umap.length, pca.length]).toEqual([60, 60])
    expect(maps.layer).toBe('input of head')
    expect(valueOf(metrics.kept)).toBeGreaterThan(0)
    expect(valueOf(metrics.explained)).toBeGreaterThan(0)
  })

  it('of gold do not depend on the model that is compared, and the samples are the same', async () => {
    const own = await featureMaps(mapping(gold))
    const other = await featureMaps(mapping(fresh))
    expect(other.maps.samples).toEqual(own.maps.samples)
    // D_r of both has its mean at the same place, to which other maps are moved.
    const meanOf = (maps: FeatureMaps) => {
      const { umap } = pointsOf(maps)
      const on = maps.samples.flatMap(({ set }, i) => (set === 'retained' ? [umap[i] ?? [NaN, NaN]] : []))
      return [0, 1].map((axis) => on.reduce((sum, point) => sum + (point[axis] ?? NaN), 0) / on.length)
    }
    const [x = NaN, y = NaN] = meanOf(own.maps)
    expect(meanOf(other.maps)).toEqual([expect.closeTo(x, 3), expect.closeTo(y, 3)])
    expect(pointsOf(other.maps).umap).not.toEqual(pointsOf(own.maps).umap)
  })

  it('compare every layer with every layer of gold', async () => {
    const { maps, metrics } = await featureMaps(mapping(gold))
    const names = ['conv1', 'conv2', 'linear1', 'head']
    expect(maps.cka?.layers).toEqual(names)
    expect(maps.cka?.values.map((row) => row.length)).toEqual([4, 4, 4, 4])
    names.forEach((_, i) => expect(maps.cka?.values[i]?.[i]).toBeCloseTo(1, 3))
    // CKA is symmetric.
    expect(maps.cka?.values[0]?.[3]).toBeCloseTo(maps.cka?.values[3]?.[0] ?? NaN, 3)
    expect(metrics.layers.map(({ name, features }) => [name, features])).toEqual([
      ['conv1', 4],
      ['conv2', 6],
      ['linear1', 12],
      ['head', 4],
    ])
    const other = await featureMaps(mapping(fresh))
    other.metrics.layers.forEach(({ cka }, i) =>
      expect(other.maps.cka?.values[i]?.[i]).toBeCloseTo(valueOf(cka), 3),
    )
  })

  it('without gold have places, and no CKA with the reason', async () => {
    const { maps, metrics } = await featureMaps(mapping(fresh, { gold: undefined }))
    expect(pointsOf(maps).umap).toHaveLength(60)
    expect(maps.cka).toBeUndefined()
    for (const { cka } of metrics.layers) expect(cka).toHaveProperty('missing')
  })

  it('of another layer are other maps; of features that are not finite there is the reason', async () => {
    const options = { ...mapping(fresh).options, layer: 'conv2' }
    const { maps } = await featureMaps(mapping(fresh, { options }))
    expect(maps.layer).toBe('conv2')
    expect(pointsOf(maps).pca).not.toEqual(pointsOf((await featureMaps(mapping(fresh))).maps).pca)
    const broken = { ...fresh, trained: new Float32Array(fresh.trained.length).fill(NaN) }
    const none = await featureMaps(mapping(broken))
    expect(none.maps.points).toEqual({ missing: 'the features are not finite' })
    expect(none.metrics.kept).toEqual({ missing: 'the features are not finite' })
    expect(none.maps.cka?.values.flat()).toEqual(Array(16).fill(null))
  })

  it('go on from any snapshot to the same bytes', async () => {
    const whole = JSON.stringify(await featureMaps(mapping(fresh)))
    for (let stop = 1; stop <= 5; stop++) {
      let kept: Snapshot | undefined
      let taken = 0
      const stopping: Host = {
        async step(_, take) {
          if (!take) return
          kept = await take()
          if (++taken === stop) throw new Error('stopped')
        },
      }
      await expect(featureMaps(mapping(fresh, { host: stopping }))).rejects.toThrow('stopped')
      // The store keeps notes as JSON.
      const snapshot = JSON.parse(JSON.stringify(kept)) as Snapshot
      const resumed: Host = { snapshot, step: () => Promise.resolve() }
      expect(JSON.stringify(await featureMaps(mapping(fresh, { host: resumed })))).toBe(whole)
    }
  })
})
