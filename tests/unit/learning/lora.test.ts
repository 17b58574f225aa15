import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { adaptableLayers, layersOf, maxRank } from '../../../experiment/model.ts'
import { modelSchemas } from '../../../experiment/spec.ts'
import { adapted, initialAdapter, lora } from '../../../learning/lora.ts'
import { forward } from '../../../learning/model.ts'
import { initialWeights, parameterSpecs, unpack } from '../../../learning/parameters.ts'
import { toPeft } from '../../../learning/peft.ts'
import { parametersOf } from '../../../learning/predict.ts'
import { stream } from '../../../learning/random.ts'
import { tf } from '../../../learning/tf.ts'
import { closeTo, normal } from '../../support/tensors.ts'

const layers = layersOf(modelSchemas[1].parse({ name: 'cnn', channels: [3, 4], hidden: 5 }), [6, 6, 2], 4)
const base = parametersOf(layers, initialWeights(parameterSpecs(layers), stream(1, 'weights')))
const wrapped = adaptableLayers(layers)
const names = new Set(wrapped.map(({ name }) => name))

test('B = 0 leaves every feature as it is, to the bit, for any input', () => {
  const adapter = lora(wrapped, { rank: 2, rslora: false })
  const start = tf.tensor1d(initialAdapter(adapter, stream(1, 'adapter')))
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const x = normal([2, 6, 6, 2], seed)
      const teacher = forward(layers, base, x, { capture: names }).features
      const student = forward(layers, adapted(adapter, base, start), x, { capture: names }).features
      for (const name of names) closeTo(student[name] as Tensor, teacher[name] as Tensor, 0)
    }),
    { numRuns: 20 },
  )
})

test('merged into the weight, an adapter acts as the two layers of PEFT beside it', () => {
  const adapter = lora(wrapped, { rank: 2, alpha: 6, rslora: false })
  expect(adapter.scale).toBe(3)
  const size = initialAdapter(adapter, stream(1, 'adapter')).length
  const values = normal([size], 9)
  const flat = values.dataSync() as Float32Array
  const merged = adapted(adapter, base, tf.tensor1d(flat))
  const { tensors, config } = toPeft(adapter, flat)
  expect(config).toMatchObject({ r: 2, lora_alpha: 6, target_modules: [...names] })
  const peft = (name: string) => {
    const { shape, values } = tensors[name] ?? { shape: [], values: new Float32Array() }
    return tf.tensor(values, [...shape])
  }

  for (const layer of wrapped) {
    const weight = merged[`${layer.name}.weight`] as Tensor
    const original = base[`${layer.name}.weight`] as Tensor
    const a = peft(`base_model.model.${layer.name}.lora_A.weight`)
    const b = peft(`base_model.model.${layer.name}.lora_B.weight`)
    if (layer.kind === 'linear') {
      const x = normal([3, layer.in], 5) as Tensor2D
      // PyTorch: y = x Wᵀ + s · (x Aᵀ) Bᵀ
      const beside = x.matMul(original).add(x.matMul(a, false, true).matMul(b, false, true).mul(3))
      closeTo(x.matMul(weight), beside, 1e-5)
    } else {
      const x = normal([3, 6, 6, layer.in], 5) as Tensor4D
      // [out, in, k, k] to [k, k, in, out]
      const kernel = (tensor: Tensor) => tensor.transpose<Tensor4D>([2, 3, 1, 0])
      const through = tf.conv2d(tf.conv2d(x, kernel(a), layer.stride, 'same'), kernel(b), 1, 'same')
      closeTo(
        tf.conv2d(x, weight as Tensor4D, layer.stride, 'same'),
        tf.conv2d(x, original as Tensor4D, layer.stride, 'same').add(through.mul(3)),
        2e-5,
      )
    }
  }
})

test('rank-stabilised adapters scale by α/√r', () => {
  expect(lora(wrapped, { rank: 4, alpha: 8, rslora: true }).scale).toBe(4)
  expect(lora(wrapped, { rank: 4, rslora: false }).scale).toBe(1)
})

test('A is uniform within ±1/√fan-in and B is zero', () => {
  const adapter = lora(wrapped, { rank: 2, rslora: false })
  const factors = unpack(adapter.specs, tf.tensor1d(initialAdapter(adapter, stream(1, 'adapter'))))
  for (const layer of wrapped) {
    const a = factors[`${layer.name}.lora_A`] as Tensor
    const b = factors[`${layer.name}.lora_B`] as Tensor
    const bound = 1 / Math.sqrt(a.shape[0] ?? 0)
    const extreme = a.abs().max().dataSync()[0] ?? NaN
    expect(extreme).toBeLessThanOrEqual(bound)
    expect(extreme).toBeGreaterThan(bound / 2)
    expect(b.abs().max().dataSync()[0]).toBe(0)
    expect(maxRank(layer)).toBeGreaterThanOrEqual(2)
  }
})
