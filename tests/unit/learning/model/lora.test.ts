import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toPeft } from '../../../../pretrained/peft.ts'
import { layersOf } from '../../../../experiment/models/model.ts'
import { adaptableLayers, maxRank } from '../../../../experiment/models/layers.ts'
import { modelSchema } from '../../../../experiment/spec/model.ts'
import { adapted, initialAdapter, lora } from '../../../../learning/model/lora.ts'
import { forward } from '../../../../learning/model/forward.ts'
import { initialWeights, parameterSpecs, unpack } from '../../../../learning/model/parameters.ts'
import { parametersOf } from '../../../../learning/model/predict.ts'
import { stream } from '../../../../learning/random.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { closeTo, normal } from '../../../support/tensors.ts'

const layers = layersOf(modelSchema.parse({ name: 'cnn', channels: [3, 4], hidden: 5 }), [6, 6, 2], 4)
const resnet = layersOf(modelSchema.parse({ name: 'resnet-cifar', depth: 8, width: 4 }), [6, 6, 2], 4)
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

const factor = fc
  .record({
    rank: fc.integer({ min: 1, max: 4 }),
    alpha: fc.option(fc.integer({ min: 1, max: 16 }), { nil: undefined }),
    rslora: fc.boolean(),
  })
  .map(({ alpha, ...rest }) => ({ ...rest, ...(alpha !== undefined && { alpha }) }))

test.each(Object.entries({ cnn: layers, resnet }))(
  'merged into the weights of a %s, an adapter acts as the two layers of PEFT beside them, within 1e-5',
  (_, layers) => {
    const base = parametersOf(layers, initialWeights(parameterSpecs(layers), stream(1, 'weights')))
    const wrapped = adaptableLayers(layers)
    fc.assert(
      fc.property(factor, fc.integer(), (options, seed) => {
        tf.tidy(() => {
          const adapter = lora(wrapped, options)
          const size = initialAdapter(adapter, stream(1, 'adapter')).length
          const values = normal([size], seed).mul(0.3)
          const flat = values.dataSync() as Float32Array
          const merged = adapted(adapter, base, tf.tensor1d(flat))
          const { tensors, config } = toPeft(adapter, flat)
          expect(config).toMatchObject({
            r: options.rank,
            lora_alpha: adapter.scale * options.rank,
            use_rslora: false,
            target_modules: wrapped.map(({ name }) => name),
          })
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
              const x = normal([3, layer.in], seed) as Tensor2D
              // PyTorch: y = x Wᵀ + s · (x Aᵀ) Bᵀ
              const through = x.matMul(a, false, true).matMul(b, false, true)
              closeToGreatest(x.matMul(weight), x.matMul(original).add(through.mul(adapter.scale)))
            } else {
              const x = normal([3, 6, 6, layer.in], seed) as Tensor4D
              // [out, in, k, k] to [k, k, in, out]
              const kernel = (tensor: Tensor) => tensor.transpose<Tensor4D>([2, 3, 1, 0])
              const conv = (kernel: Tensor4D) => tf.conv2d(x, kernel, layer.stride, 'same')
              const through = tf.conv2d(conv(kernel(a)), kernel(b), 1, 'same')
              closeToGreatest(
                conv(weight as Tensor4D),
                conv(original as Tensor4D).add(through.mul(adapter.scale)),
              )
            }
          }
        })
      }),
      { numRuns: 10 },
    )
  },
)

/** Within 1e-5 of the greatest value, which is some tens where α is great. */
function closeToGreatest(actual: Tensor, expected: Tensor): void {
  const greatest = expected.abs().max().dataSync()[0] ?? NaN
  closeTo(actual, expected, 1e-5 * Math.max(1, greatest))
}

test('adapters scale by α/r, rank-stabilised ones by α/√r', () => {
  expect(lora(wrapped, { rank: 2, alpha: 6, rslora: false }).scale).toBe(3)
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
