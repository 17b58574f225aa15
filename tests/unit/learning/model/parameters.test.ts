import { expect, test } from 'vitest'
import type { Layer } from '../../../../experiment/models/layers.ts'
import { forward } from '../../../../learning/model/forward.ts'
import { initialWeights, parameterSpecs, unpackArrays } from '../../../../learning/model/parameters.ts'
import { parametersOf } from '../../../../learning/model/predict.ts'
import { stream } from '../../../../learning/random.ts'
import { closeTo, normal } from '../../../support/tensors.ts'

const convolution = (channels: number, out: number): readonly Layer[] => [
  { kind: 'conv', name: 'conv', in: channels, out, kernel: 3, stride: 1, bias: false, initial: 'identity' },
]

test.each([
  [3, 5],
  [4, 2],
])(
  'a new convolution from %i to %i channels that starts as the identity copies channels',
  (channels, out) => {
    const layers = convolution(channels, out)
    const specs = parameterSpecs(layers)
    const weights = initialWeights(specs, stream(1, 'weights'))
    const x = normal([2, 6, 5, channels], 1)
    const { output } = forward(layers, parametersOf(layers, weights), x)
    const copied = Math.min(channels, out)
    closeTo(output.slice([0, 0, 0, 0], [-1, -1, -1, copied]), x.slice([0, 0, 0, 0], [-1, -1, -1, copied]), 0)
    // The other filters are uniform within ±1/√27 for three channels.
    const others = weights.trained.filter((_, i) => i % out >= channels)
    const bound = 1 / Math.sqrt(9 * channels)
    expect(others.every((value) => Math.abs(value) <= bound)).toBe(true)
    if (out > channels) expect(Math.max(...others)).toBeGreaterThan(0.9 * bound)
  },
)

test('the initial weights of a head are scaled, and further random draws stay the same', () => {
  const head = { kind: 'linear', name: 'head', in: 100, out: 4, initial: 'uniform' } as const
  const weightOf = (layer: Layer) => {
    const specs = parameterSpecs([layer])
    return [
      ...(unpackArrays(specs.trained, initialWeights(specs, stream(1, 'w')).trained)['head.weight']?.values ??
        []),
    ]
  }
  const plain = weightOf(head)
  expect(Math.max(...plain)).toBeGreaterThan(0.09)
  expect(Math.max(...plain)).toBeLessThanOrEqual(0.1)
  expect(weightOf({ ...head, initialScale: 0.25 })).toEqual(plain.map((value) => 0.25 * value))
})

test('a batch norm without a scale has a shift alone, and whitening weights are no trained parameters', () => {
  const names = (layers: readonly Layer[]) => {
    const { trained, statistics } = parameterSpecs(layers)
    return [trained, statistics].map((specs) => specs.map(({ name }) => name))
  }
  expect(names([{ kind: 'batch-norm', name: 'norm', channels: 2, scale: false }])).toEqual([
    ['norm.beta'],
    ['norm.mean', 'norm.variance'],
  ])
  const whiten = { kind: 'conv', name: 'whiten', in: 1, out: 8, kernel: 2, stride: 1, padding: 0 } as const
  expect(names([{ ...whiten, bias: true, whitening: true }])).toEqual([['whiten.bias'], ['whiten.weight']])
})
