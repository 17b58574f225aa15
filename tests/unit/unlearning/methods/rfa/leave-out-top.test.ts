import { EigenvalueDecomposition, Matrix, SingularValueDecomposition } from 'ml-matrix'
import { describe, expect, test } from 'vitest'
import { adaptableLayers, type AdaptableLayer } from '../../../../../experiment/models/layers.ts'
import { adapted } from '../../../../../learning/model/lora.ts'
import { parameterSpecs, unpackArrays } from '../../../../../learning/model/parameters.ts'
import { parametersOf } from '../../../../../learning/model/predict.ts'
import { stream } from '../../../../../learning/random.ts'
import { tf } from '../../../../../learning/tensorflow/tf.ts'
import type { Host, Snapshot } from '../../../../../learning/training/host.ts'
import { unlearn } from '../../../../../unlearning/methods/rfa.ts'
import { lowRank } from '../../../../../unlearning/methods/rfa/low-rank.ts'
import {
  accuracyOn,
  context,
  deviceData,
  forget,
  methodSpec,
  poisonedData,
  retained,
  toyModels,
  trainedOriginal,
} from '../../../../support/toy.ts'
import { checkProblems, edited } from '../../../experiment/sample.ts'

const layers = toyModels.cnn
const original = trainedOriginal('cnn')
const before = unpackArrays(parameterSpecs(layers).trained, original.trained)

const options = {
  method: 'rfa',
  target: 'leave-out-top',
  start: 'closed-form',
  steps: 0,
  layers: ['conv2', 'linear1', 'head'],
  top: 'linear1',
  renew: 0.5,
  rank: 24,
  retainedSamples: 400,
} as const

async function unlearned(
  changes: object = {},
  { data = deviceData(), host = undefined as Host | undefined } = {},
) {
  const method = methodSpec({ ...options, ...changes })
  const result = await unlearn(method, { ...context(layers, original, data), ...(host && { host }) })
  data.dispose()
  return result
}

describe('at full rank', () => {
  test('half of the filters below the top are new ones of the same norm, and biases stay', async () => {
    const { weights } = await unlearned()
    const after = unpackArrays(parameterSpecs(layers).trained, weights.trained)
    for (const name of ['conv1.weight', 'conv1.bias', 'conv2.bias', 'linear1.bias', 'head.bias'])
      expect(after[name]?.values, name).toEqual(before[name]?.values)
    const filters = (values: Float32Array | undefined) =>
      Array.from({ length: 6 }, (_, filter) => [...(values ?? [])].filter((_, i) => i % 6 === filter))
    const [old, now] = [filters(before['conv2.weight']?.values), filters(after['conv2.weight']?.values)]
    const changed = now.filter((filter, i) => filter.some((value, j) => value !== old[i]?.[j]))
    expect(changed).toHaveLength(3)
    now.forEach((filter, i) => {
      expect(Math.hypot(...filter)).toBeCloseTo(Math.hypot(...(old[i] ?? [])), 4)
    })
  })

  test('the adapter holds the whole change of the weights', async () => {
    const { weights, adapter } = await unlearned()
    if (!adapter) throw new Error('no adapter')
    const [base, wanted] = [parametersOf(layers, original), parametersOf(layers, weights)]
    const merged = adapted(adapter.lora, base, tf.tensor1d(adapter.parameters))
    for (const [name, tensor] of Object.entries(wanted))
      expect(tf.max(tf.abs(tensor.sub(merged[name] ?? NaN))).dataSync()[0], name).toBeLessThan(1e-6)
    tf.disposeVariables()
  })

  test('it learns the retained classes again, and nothing of the forget set', async () => {
    const { weights, metrics } = await unlearned({ refitEpochs: 15 })
    const data = deviceData()
    expect(await accuracyOn(retained, layers, weights, data)).toBeGreaterThan(90)
    expect(await accuracyOn(forget, layers, weights, data)).toBeLessThan(10)
    data.dispose()
    expect(metrics.samplesUsed).toEqual({ retained: retained.length, forget: 0 })
    expect((await unlearned({ refitEpochs: 15 }, { data: poisonedData(forget) })).weights).toEqual(weights)
  })

  test('it ends in the same bytes when it goes on from a snapshot', async () => {
    const snapshots: Snapshot[] = []
    const step: Host['step'] = async (_, take) => {
      if (take) snapshots.push(await take())
    }
    const whole = await unlearned({}, { host: { step } })
    const snapshot = snapshots[Math.floor(snapshots.length / 2)]
    expect(snapshots.length).toBe(whole.metrics.steps)
    expect(await unlearned({}, { host: { snapshot, step: () => Promise.resolve() } })).toEqual(whole)
  })
})

test('a model with batch norms gets those of the top, and has no adapter', async () => {
  const resnet = toyModels.resnet
  const weights = trainedOriginal('resnet')
  const names = adaptableLayers(resnet).map(({ name }) => name)
  const from = names.findIndex((name) => name.startsWith('stage3'))
  const data = deviceData()
  const method = methodSpec({
    ...options,
    ...{ layers: names.slice(from), top: undefined, renew: undefined, rank: 200, refitEpochs: 15 },
  })
  const result = await unlearn(method, context(resnet, weights, data))
  expect(result.adapter).toBeUndefined()
  expect(result.weights.statistics).not.toEqual(weights.statistics)
  expect(await accuracyOn(retained, resnet, result.weights, data)).toBeGreaterThan(90)
  expect(await accuracyOn(forget, resnet, result.weights, data)).toBeLessThan(10)
  data.dispose()
})

describe('low rank', () => {
  const layer: AdaptableLayer = { kind: 'linear', name: 'layer', in: 7, out: 5 }
  const random = stream(1, 'low rank')
  const normal = (size: number) => Float32Array.from({ length: size }, () => random.normal())
  const [change, samples] = [normal(35), normal(20 * 7)]
  const factors = async (rank: number, delta = change) => {
    const inputOfSamples = () => Promise.resolve(tf.tensor2d(samples, [20, 7]))
    return lowRank({ layer, change: delta, rank, inputOfSamples, inputsOf: (rows) => rows })
  }
  const X = Matrix.from1DArray(20, 7, samples)
  const outputs = (a: Float32Array, b: Float32Array, rank: number) =>
    X.mmul(Matrix.from1DArray(7, rank, a)).mmul(Matrix.from1DArray(rank, 5, b))

  test.each([1, 2, 3, 4])('rank %d leaves the singular values of the outputs that it lacks', async (rank) => {
    const { a, b, rank: own } = await factors(rank)
    expect(own).toBe(rank)
    const wanted = X.mmul(Matrix.from1DArray(7, 5, change))
    const lacking = Matrix.sub(wanted, outputs(a, b, rank)).norm('frobenius')
    const { diagonal } = new SingularValueDecomposition(wanted)
    expect(lacking).toBeCloseTo(Math.hypot(...diagonal.slice(rank)), 4)
    // The columns of Bᵀ are orthonormal.
    const B = Matrix.from1DArray(rank, 5, b)
    const gram = new EigenvalueDecomposition(B.mmul(B.transpose())).realEigenvalues
    for (const value of gram) expect(value).toBeCloseTo(1, 5)
  })

  test('it is exact where the rank suffices, and no higher than needed', async () => {
    const product = ({ a, b, rank }: Awaited<ReturnType<typeof factors>>) =>
      Matrix.from1DArray(7, rank, a)
        .mmul(Matrix.from1DArray(rank, 5, b))
        .to1DArray()
    expect(product(await factors(5))).toEqual([...change])
    const sparse = change.map((value, i) => ([1, 3].includes(i % 5) ? value : 0))
    const found = await factors(3, sparse)
    expect(found.rank).toBe(2)
    expect(product(found)).toEqual([...sparse])
  })
})

test.each([
  [{ start: 'zero', steps: 5 }, 'methods[0].target', 'leave-out-top is solved for without gradient steps'],
  [{ layers: ['linear1'] }, 'methods[0].layers', 'these are not adapted: linear2, head; name them, too'],
  [
    { top: 'linear2', layers: ['linear2', 'head'], renew: 0.5 },
    'methods[0].renew',
    'no adapted layer comes before linear2',
  ],
  [{ norms: {} }, 'methods[0].norms', 'there are no batches to measure residuals on'],
  [{ top: 'linear9' }, 'methods[0].top', 'linear9 is not one of the adapted layers'],
  [{ target: 'leave-out', top: 'head' }, 'methods[0].top', 'only leave-out-top has top'],
])('%o is refused', (changes, path, message) => {
  const method = {
    ...{
      method: 'rfa',
      label: 'top',
      target: 'leave-out-top',
      start: 'closed-form',
      steps: 0,
      rank: 10,
      layers: ['*'],
    },
    ...changes,
  }
  const problems = checkProblems(edited('- method: original', `- ${JSON.stringify(method)}`))
  expect(problems).toMatchObject([{ path, message: expect.stringContaining(message) as string }])
})
