import type { Tensor } from '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MathError } from '../../../../../common/errors.ts'
import type { FixedTargetName } from '../../../../../experiment/spec/target.ts'
import { labelsAt, type DeviceData } from '../../../../../learning/data/device-data.ts'
import { frozenFeatures } from '../../../../../learning/model/features.ts'
import {
  initialWeights,
  parameterSpecs,
  type NamedTensors,
} from '../../../../../learning/model/parameters.ts'
import { parametersOf } from '../../../../../learning/model/predict.ts'
import { stream } from '../../../../../learning/random.ts'
import { tf } from '../../../../../learning/tensorflow/tf.ts'
import { featuresOnDemand } from '../../../../../unlearning/methods/rfa/features-on-demand.ts'
import { unlearn } from '../../../../../unlearning/methods/rfa.ts'
import { targets, type TargetMaterial } from '../../../../../unlearning/methods/rfa/targets.ts'
import { errorOf } from '../../../../support/errors.ts'
import {
  context,
  deviceData,
  forget,
  labels,
  methodSpec,
  retained,
  toyModels,
  trainedOriginal,
  validation,
} from '../../../../support/toy.ts'

const fixedTargetNames = Object.keys(targets) as FixedTargetName[]
const layers = toyModels.resnet
const aligned = ['stage2.0.conv1', 'stage3.0.relu2', 'pool', 'head']
const capture = new Set(aligned)
/** An unseen margin is of logits alone. */
const alignedBy = (name: FixedTargetName) => (name === 'unseen-margin' ? ['head'] : aligned)
const to = layers.length
const original = trainedOriginal('resnet')
let data: DeviceData
let base: NamedTensors
let teacher: TargetMaterial

beforeAll(async () => {
  data = deviceData()
  base = parametersOf(layers, original)
  const logits = await featuresOf(base, forget)
  const features = await tensorsOf(base, retained)
  teacher = {
    logits: 'head',
    features,
    retainedLabels: labelsAt(labels, retained),
    forgetLabels: labelsAt(labels, forget),
    forgetLogits: Float32Array.from((logits.head ?? []).flat()),
    classes: 4,
    validationLabels: labelsAt(labels, validation),
    samples: { retained, forget, validation },
    onDemand: featuresOnDemand(layers, base, data, { to, capture }),
  }
})
afterAll(() => {
  tf.dispose([base, teacher.features])
  data.dispose()
})

async function tensorsOf(parameters: NamedTensors, indices: Int32Array): Promise<NamedTensors> {
  const { input, features } = await frozenFeatures(layers, parameters, data, indices, {
    from: 0,
    to,
    capture,
  })
  input.dispose()
  return features
}

/** By layer, a row of values for each sample. */
async function featuresOf(parameters: NamedTensors, indices: Int32Array) {
  const features = await tensorsOf(parameters, indices)
  const rows = await rowsOf(features)
  tf.dispose(features)
  return rows
}

async function rowsOf(features: NamedTensors): Promise<Record<string, number[][]>> {
  const lists = Object.entries(features).map(async ([name, feature]) => {
    const flat = tf.tidy(() => feature.reshape([feature.shape[0] ?? 0, -1]))
    const rows = (await flat.array()) as number[][]
    flat.dispose()
    return [name, rows] as const
  })
  return Object.fromEntries(await Promise.all(lists))
}

/** t_l of every forget sample, by layer. */
async function shifts(name: FixedTargetName, given = teacher, seed = 1) {
  tf.engine().startScope()
  try {
    const target = await targets[name](given, stream(seed, 'targets'))
    const positions = tf.range(0, forget.length, 1, 'int32')
    return await rowsOf(Object.fromEntries(alignedBy(name).map((layer) => [layer, target(layer, positions)])))
  } finally {
    tf.engine().endScope()
  }
}

/** The position of the nearest of some rows, by brute force. */
function nearest(row: readonly number[], candidates: readonly (readonly number[])[]): number {
  const distances = candidates.map((other) => Math.hypot(...row.map((x, d) => x - (other[d] ?? NaN))))
  return distances.indexOf(Math.min(...distances))
}

const row = (rows: Record<string, number[][]>, layer: string, i: number) => rows[layer]?.[i] ?? []

/** The class that the teacher ranks next best for a forget sample: class 2 is the forgotten one. */
function nextBest(i: number): number {
  const logits = [...teacher.forgetLogits.subarray(4 * i, 4 * i + 4)]
  logits[2] = -Infinity
  return logits.indexOf(Math.max(...logits))
}

describe.each(fixedTargetNames)('%s', (name) => {
  test("has the features' shape at every aligned layer, for any batch", async () => {
    tf.engine().startScope()
    const target = await targets[name](teacher, stream(1, 'targets'))
    const positions = tf.tensor1d([5, 0, 5], 'int32')
    for (const layer of alignedBy(name)) {
      const shape = (teacher.features[layer] as Tensor).shape.slice(1)
      const t = target(layer, positions)
      expect(tf.broadcastTo(t, [3, ...shape]).shape).toEqual([3, ...shape])
      const [first, , last] = tf.unstack(tf.broadcastTo(t, [3, ...shape]))
      expect(await first?.data()).toEqual(await last?.data())
    }
    tf.engine().endScope()
  })

  test('is the same twice, and leaves no tensor', async () => {
    const first = await shifts(name)
    const before = tf.memory().numTensors
    expect(await shifts(name)).toEqual(first)
    expect(tf.memory().numTensors).toBe(before)
  })
})

test('random-retained and random-init are drawn by seed, the others are not', async () => {
  for (const name of fixedTargetNames) {
    const drawn = name === 'random-retained' || name === 'random-init'
    const [one, two] = [await shifts(name, teacher, 1), await shifts(name, teacher, 2)]
    if (drawn) expect(two).not.toEqual(one)
    else expect(two).toEqual(one)
  }
})

test('nearest-retained: of the class ranked next best, the retained sample nearest in the penultimate layer', async () => {
  const found = await shifts('nearest-retained')
  const there = await featuresOf(base, retained)
  const here = await featuresOf(base, forget)
  forget.forEach((_, i) => {
    const wanted = nextBest(i)
    const members = [...retained.keys()].filter((r) => teacher.retainedLabels[r] === wanted)
    const partner =
      members[
        nearest(
          row(here, 'pool', i),
          members.map((r) => row(there, 'pool', r)),
        )
      ] ?? -1
    for (const layer of aligned) expect(row(found, layer, i)).toEqual(row(there, layer, partner))
  })
})

test("unseen-neighbour: of x's own class, the validation sample nearest in the penultimate layer", async () => {
  const found = await shifts('unseen-neighbour')
  const there = await featuresOf(base, validation)
  const here = await featuresOf(base, forget)
  const members = [...validation.keys()].filter((v) => labels[validation[v] ?? -1] === 2)
  const partners = new Set<number>()
  forget.forEach((_, i) => {
    const candidates = members.map((v) => row(there, 'pool', v))
    const partner = members[nearest(row(here, 'pool', i), candidates)] ?? -1
    partners.add(partner)
    // Up to rounding: a batch of other samples may be computed in another order.
    for (const layer of aligned)
      row(found, layer, i).forEach((value, d) => {
        expect(value).toBeCloseTo(row(there, layer, partner)[d] ?? NaN, 4)
      })
  })
  expect(partners.size).toBeGreaterThan(1)
})

test("unseen-margin: x's own logits but for its class's, with which its margin is as those of unseen samples", async () => {
  const { head: found = [] } = await shifts('unseen-margin')
  const margin = (row: readonly number[]) =>
    (row[2] ?? 0) - Math.log([0, 1, 3].reduce((sum, c) => sum + Math.exp(row[c] ?? 0), 0))
  const { head: unseen = [] } = await featuresOf(base, validation)
  const wanted = unseen.filter((_, v) => labels[validation[v] ?? -1] === 2).map(margin)
  found.forEach((row, i) => {
    for (const c of [0, 1, 3]) expect(row[c]).toBe(teacher.forgetLogits[4 * i + c])
    expect(margin(row)).toBeGreaterThan(Math.min(...wanted) - 1e-4)
    expect(margin(row)).toBeLessThan(Math.max(...wanted) + 1e-4)
  })
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  expect(mean(found.map(margin))).toBeCloseTo(mean(wanted), 1)
})

test.each(['unseen-neighbour', 'unseen-margin'] as const)(
  '%s without a validation sample of the class says what to do',
  async (name) => {
    const others = validation.filter((i) => labels[i] !== 2)
    const lacking = {
      ...teacher,
      validationLabels: labelsAt(labels, others),
      samples: { ...teacher.samples, validation: others },
    }
    const error = await errorOf(shifts(name, lacking), MathError)
    expect(error.message).toBe(
      `the target ${name} needs a validation sample of every class that D_f has, and of the 30 there are none is of ` +
        'class 2; raise data.validation, or choose another target',
    )
  },
)

test('random-init: x itself, as an untrained model of the same layers sees it', async () => {
  const found = await shifts('random-init')
  const twin = parametersOf(layers, initialWeights(parameterSpecs(layers), stream(1, 'targets')))
  expect(found).toEqual(await featuresOf(twin, forget))
  tf.dispose(twin)
  expect(found).not.toEqual(await featuresOf(base, forget))
})

test.each(fixedTargetNames)('%s works where only the last layer is adapted', async (target) => {
  const spec = methodSpec({ method: 'rfa', target, layers: ['head'], steps: 2 })
  const before = tf.memory().numTensors
  const { metrics } = await unlearn(spec, context(layers, original, data))
  expect(metrics.steps).toBe(2)
  expect(tf.memory().numTensors).toBe(before)
})
