import { expect, test } from 'vitest'
import { checkLayerList } from '../../../../experiment/models/check-list.ts'
import type { Layer, Shape } from '../../../../experiment/models/layers.ts'
import { layersOf } from '../../../../experiment/models/model.ts'
import { vitLayers } from '../../../../experiment/models/vit.ts'
import { layerListSchema } from '../../../../experiment/spec/layer-list.ts'
import { modelSchema } from '../../../../experiment/spec/model.ts'

const shape: Shape = [32, 32, 3]
const built = (fields: object) => layersOf(modelSchema.parse(fields), shape, 10)
const vit = (distilled: boolean) =>
  vitLayers(
    {
      ...{ kind: 'vit', family: 'vit', image: [32, 32], patch: 8, channels: 3, width: 12, layers: 2 },
      ...{ heads: 3, mlp: 24, activation: 'gelu', epsilon: 1e-12, qkvBias: true, distilled },
    },
    10,
  )

test.each([
  ['mlp', built({ name: 'mlp' })],
  ['cnn', built({ name: 'cnn' })],
  ['resnet-cifar', built({ name: 'resnet-cifar' })],
  ['resnet18', built({ name: 'resnet-cifar', depth: 'resnet18' })],
  ['vit', vit(false)],
  ['a distilled vit', vit(true)],
])('the layers of %s are a list that a plug-in could return', (_, layers) => {
  expect(layerListSchema.parse(layers)).toEqual(layers)
  expect(() => {
    checkLayerList(layers, shape, 10)
  }).not.toThrow()
})

test('the layers of airbench fit each other', () => {
  expect(() => {
    checkLayerList(built({ name: 'airbench' }), shape, 10)
  }).not.toThrow()
})

const linear = (name: string, from: number, out: number): Layer => ({ kind: 'linear', name, in: from, out })
const conv = (name: string, from: number, out: number, stride = 1): Layer => ({
  ...{ kind: 'conv', name, in: from, out, kernel: 3, stride, bias: true },
})
const flatten: Layer = { kind: 'flatten', name: 'flatten' }

test.each<[string, readonly Layer[], string]>([
  ['no layer', [], 'the last layer is missing; expected a linear one'],
  ['no linear layer at the end', [flatten], 'the last layer is flatten of the kind flatten'],
  ['a linear layer of pixels', [linear('head', 3, 10)], 'head (linear) takes vector or tokens of 3, and the'],
  [
    'another length',
    [flatten, linear('head', 3, 10)],
    'takes vector or tokens of 3, and the layer before it gives vector of 3072',
  ],
  [
    'other channels',
    [conv('a', 3, 4), conv('b', 3, 4), flatten, linear('head', 4096, 10)],
    'b (conv) takes image of 3',
  ],
  [
    'a shortcut of another size',
    [
      { kind: 'residual', name: 'sum', body: [conv('a', 3, 3, 2)], shortcut: [] },
      flatten,
      linear('head', 768, 10),
    ],
    'sum (residual) adds image 32×32×3 of its shortcut to image 16×16×3 of its body',
  ],
  [
    'a pooling that leaves nothing',
    [{ kind: 'max-pool', name: 'pool', size: 64, padding: 0 }, flatten, linear('head', 3, 10)],
    'pool leaves nothing of an image of 32×32',
  ],
  [
    'another number of classes',
    [flatten, linear('head', 3072, 9)],
    'head, has 9 outputs, and the data has 10 classes',
  ],
  ['two layers of one name', [flatten, linear('flatten', 3072, 10)], 'two layers are called "flatten"'],
])('%s is refused', (_, layers, message) => {
  expect(() => {
    checkLayerList(layers, shape, 10)
  }).toThrow(message)
})
