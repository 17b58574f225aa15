import type { Tensor, Tensor1D } from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { layersOf } from '../../../../experiment/models/model.ts'
import { flattenLayers, type Layer } from '../../../../experiment/models/layers.ts'
import { modelSchema, modelSchemas } from '../../../../experiment/spec/model.ts'
import { crossEntropy } from '../../../../learning/training/losses.ts'
import { forward } from '../../../../learning/model/forward.ts'
import { initialWeights, parameterSpecs, unpack } from '../../../../learning/model/parameters.ts'
import { parametersOf } from '../../../../learning/model/predict.ts'
import { stream } from '../../../../learning/random.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { closeTo, normal } from '../../../support/tensors.ts'

const built = (model: { readonly name: string; readonly [option: string]: unknown }) =>
  layersOf(modelSchema.parse(model), shapeOf(model.name), 4)
/** Images of 6×6 pixels, except for a model that needs larger ones. */
function shapeOf(name: string): readonly [number, number, number] {
  return name === 'airbench' ? [25, 25, 2] : [6, 6, 2]
}
/** Options that keep a model small. Other models have their defaults. */
const small: Readonly<Record<string, object>> = {
  mlp: { hidden: [7, 5] },
  cnn: { channels: [3, 4], hidden: 5 },
  'resnet-cifar': { depth: 8, width: 4 },
  airbench: { widths: [3, 4, 5] },
}
const names = modelSchemas.map(({ shape }) => shape.name.value).filter((name) => name !== 'pretrained')
const models = {
  ...Object.fromEntries(names.map((name) => [name, built({ name, ...small[name] })])),
  resnet18: built({ name: 'resnet-cifar', depth: 'resnet18', width: 2 }),
}

test.each(Object.entries(models))(
  '%s: logits have a column a class, and every feature can be asked for',
  (name, layers) => {
    const weights = initialWeights(parameterSpecs(layers), stream(1, 'weights'))
    const names = flattenLayers(layers).map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    const { output, features } = forward(
      layers,
      parametersOf(layers, weights),
      normal([3, ...shapeOf(name)], 1),
      {
        capture: new Set(names),
      },
    )
    expect(output.shape).toEqual([3, 4])
    expect(Object.keys(features).sort()).toEqual([...names].sort())
  },
)

test.each(Object.entries(models))(
  '%s: a pass that starts from a kept feature ends as the whole pass does',
  (name, layers) => {
    const parameters = parametersOf(layers, initialWeights(parameterSpecs(layers), stream(1, 'weights')))
    const x = normal([3, ...shapeOf(name)], 1)
    const whole = forward(layers, parameters, x).output
    for (let cut = 0; cut <= layers.length; cut++) {
      const kept = forward(layers, parameters, x, { to: cut }).output
      closeTo(forward(layers, parameters, kept, { from: cut }).output, whole, 0)
    }
  },
)

test('depths and widths are those of the papers', () => {
  const convolutions = (layers: readonly Layer[]) =>
    flattenLayers(layers).filter(({ kind, name }) => kind === 'conv' && !name.includes('shortcut')).length
  const parameters = (layers: readonly Layer[]) =>
    initialWeights(parameterSpecs(layers), stream(1, 'weights')).trained.length
  const resnet20 = layersOf(modelSchema.parse({ name: 'resnet-cifar' }), [32, 32, 3], 10)
  expect(convolutions(resnet20) + 1).toBe(20)
  // 0.27 M in He et al. 2016, table 6.
  expect(parameters(resnet20)).toBeGreaterThan(265_000)
  expect(parameters(resnet20)).toBeLessThan(275_000)
  const resnet18 = layersOf(modelSchema.parse({ name: 'resnet-cifar', depth: 'resnet18' }), [32, 32, 3], 10)
  expect(convolutions(resnet18) + 1).toBe(18)
  // The usual CIFAR ResNet-18 has 11,173,962.
  expect(parameters(resnet18)).toBe(11_173_962)
  // The 94% model of arXiv 2404.00498 has 1.97 M.
  const airbench = layersOf(modelSchema.parse({ name: 'airbench' }), [32, 32, 3], 10)
  expect(parameters(airbench)).toBe(1_971_352)
})

test.each(Object.entries(models))('%s: the gradient agrees with finite differences', (name, layers) => {
  const specs = parameterSpecs(layers)
  const { trained, statistics } = initialWeights(specs, stream(3, 'weights'))
  const constants = unpack(specs.statistics, tf.tensor1d(statistics))
  const x = normal([5, ...shapeOf(name)], 2)
  const labels = tf.tensor1d([0, 1, 2, 3, 1], 'int32')
  const loss = (flat: Tensor) =>
    crossEntropy(
      forward(layers, { ...unpack(specs.trained, flat as Tensor1D), ...constants }, x).output,
      labels,
      0.1,
    )
  const direction = normal([trained.length], 4)
  const unit = direction.div(direction.norm())
  const at = tf.tensor1d(trained)
  const analytic = tf.grad(loss)(at).mul(unit).sum().dataSync()[0] ?? NaN
  // Central differences in float32: the step balances truncation against rounding.
  const h = 5e-3
  const numeric =
    ((loss(at.add(unit.mul(h))).dataSync()[0] ?? NaN) - (loss(at.sub(unit.mul(h))).dataSync()[0] ?? NaN)) /
    (2 * h)
  expect(Math.abs(analytic - numeric)).toBeLessThan(2e-3 + 0.02 * Math.abs(numeric))
})
