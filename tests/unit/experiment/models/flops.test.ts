import { expect, test } from 'vitest'
import { forwardFlops, trainingFlops } from '../../../../experiment/models/flops.ts'
import type { Layer, Shape } from '../../../../experiment/models/layers.ts'
import { layersOf } from '../../../../experiment/models/model.ts'
import { vitLayers } from '../../../../experiment/models/vit.ts'
import { modelSchema } from '../../../../experiment/spec/model.ts'

const image: Shape = [32, 32, 3]
const built = (fields: object) => layersOf(modelSchema.parse(fields), image, 10)

test.each<[string, readonly Layer[], number]>([
  ['mlp', built({ name: 'mlp', hidden: [16] }), 2 * (3072 * 16 + 16 * 10)],
  [
    'cnn, with padding that keeps the size',
    built({ name: 'cnn', channels: [4, 8], hidden: 16 }),
    2 * (9 * 3 * 4 * 32 ** 2 + 9 * 4 * 8 * 16 ** 2 + 64 * 8 * 16 + 16 * 10),
  ],
  [
    'airbench, whose maps have sides of 31, 15, 7 and 3',
    built({ name: 'airbench', widths: [4, 5, 6] }),
    2 *
      ((4 * 3 * 24 + 9 * 24 * 4) * 31 ** 2 +
        (9 * 4 * 4 + 9 * 4 * 5) * 15 ** 2 +
        (9 * 5 * 5 + 9 * 5 * 6) * 7 ** 2 +
        9 * 6 * 6 * 3 ** 2 +
        6 * 10),
  ],
  [
    'a residual block with a stride and a shortcut',
    [
      {
        kind: 'residual',
        name: 'sum',
        body: [{ kind: 'conv', name: 'conv', in: 3, out: 4, kernel: 3, stride: 2, bias: false }],
        shortcut: [{ kind: 'conv', name: 'shortcut', in: 3, out: 4, kernel: 1, stride: 2, bias: false }],
      },
    ],
    2 * 10 * 3 * 4 * 16 ** 2,
  ],
  [
    'a transformer with 17 tokens',
    vitLayers(
      {
        ...{ kind: 'vit', family: 'vit', image: [32, 32], patch: 8, channels: 3, width: 12, layers: 2 },
        ...{ heads: 3, mlp: 24, activation: 'gelu', epsilon: 1e-12, qkvBias: true, distilled: false },
      },
      10,
    ),
    2 * (16 * 192 * 12 + 2 * (17 * (4 * 12 ** 2 + 2 * 12 * 24) + 2 * 17 ** 2 * 12) + 12 * 10),
  ],
])('the operations of a forward pass of %s', (_, layers, expected) => {
  expect(forwardFlops(layers, image)).toBe(expected)
})

test.each([
  ['a forward pass of ResNet-18 of CIFAR', { name: 'resnet-cifar', depth: 'resnet18' }, 1 / 3, 1.11e9],
  // 11 and 9.9 epochs of 50,000 images (arXiv 2404.00498).
  ['the 93% recipe of airbench', { name: 'airbench', widths: [64, 128, 128] }, 550_000, 0.18e15],
  ['the 94% recipe of airbench', { name: 'airbench' }, 495_000, 0.35e15],
])('%s takes the published number of operations', (_, fields, samples, expected) => {
  const ratio = trainingFlops(built(fields), image, samples) / expected
  expect(Math.abs(ratio - 1)).toBeLessThan(0.02)
})

test('a training takes three times the operations of the forward passes', () => {
  const layers = built({ name: 'cnn' })
  expect(trainingFlops(layers, image, 500)).toBe(1500 * forwardFlops(layers, image))
})
