import { describe, expect, test } from 'vitest'
import { adaptableLayers } from '../../../../experiment/models/layers.ts'
import { mergedWeights } from '../../../../learning/model/lora.ts'
import { parameterSpecs, unpackArrays } from '../../../../learning/model/parameters.ts'
import { parametersOf } from '../../../../learning/model/predict.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { loadMethod } from '../../../../unlearning/method.ts'
import { context, deviceData, methodSpec, toyModels, trainedOriginal } from '../../../support/toy.ts'

const layers = toyModels.resnet
const original = trainedOriginal('resnet')

describe.each(['lora-random-label', 'lora-neggrad-plus'] as const)('%s', (method) => {
  async function run(options: Record<string, unknown>) {
    const unlearn = await loadMethod(method)
    const data = deviceData()
    const spec = methodSpec({
      method,
      epochs: 0.5,
      batchSize: 32,
      optimizer: { name: 'adam', learningRate: 5e-3 },
      ...options,
    })
    const result = await unlearn(spec, context(layers, original, data))
    data.dispose()
    return result
  }

  test('only the weights that its layers name change; batch norms stay', async () => {
    const { weights, adapter, metrics } = await run({ layers: ['stage3.*', 'head'], rank: 2 })
    const { trained } = parameterSpecs(layers)
    const before = unpackArrays(trained, original.trained)
    const after = unpackArrays(trained, weights.trained)
    const changed = trained
      .map(({ name }) => name)
      .filter((name) => before[name]?.values.some((value, i) => value !== after[name]?.values[i]))
    const expected = adaptableLayers(layers)
      .map(({ name }) => name)
      .filter((name) => name.startsWith('stage3.') || name === 'head')
    expect(changed).toEqual(expected.map((name) => `${name}.weight`))
    expect(weights.statistics).toEqual(original.statistics)
    expect(metrics.trainable).toBe(adapter?.parameters.length)
  })

  test('the adapter that is handed back, merged, is the model that is handed back', async () => {
    const { weights, adapter } = await run({ rank: 4, alpha: 8, rslora: true })
    if (!adapter) throw new Error('no adapter')
    expect(adapter.lora.scale).toBe(4)
    const base = parametersOf(layers, original)
    expect(await mergedWeights(adapter.lora, layers, original, base, adapter.parameters)).toEqual(weights)
    tf.dispose(base)
  })
})
