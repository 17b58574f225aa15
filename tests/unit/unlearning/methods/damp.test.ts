import { describe, expect, test } from 'vitest'
import { adaptableLayers } from '../../../../experiment/models/layers.ts'
import { parameterSpecs, unpackArrays } from '../../../../learning/model/parameters.ts'
import { stream } from '../../../../learning/random.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { removeDirections, specificDirections } from '../../../../unlearning/methods/damp/directions.ts'
import { separability } from '../../../../unlearning/methods/damp/separability.ts'
import { unlearn } from '../../../../unlearning/methods/damp.ts'
import { probeAccuracy } from '../../../../unlearning/probes/linear-probe.ts'
import {
  accuracyOn,
  context,
  deviceData,
  forget,
  methodSpec,
  retained,
  toyModels,
  trainedOriginal,
} from '../../../support/toy.ts'
import { checkProblems, edited } from '../../experiment/sample.ts'

const vectors = (...rows: number[][]) => rows.map((row) => Float64Array.from(row))

describe('directions', () => {
  test('are orthonormal, orthogonal to every retained prototype, and span the rest of the forgotten', () => {
    const random = stream(1, 'directions')
    const draw = () => Float64Array.from({ length: 7 }, () => random.normal())
    const [others, forgotten] = [
      [draw(), draw(), draw()],
      [draw(), draw()],
    ]
    const found = specificDirections(forgotten, others)
    const dot = (a: Float64Array, b: Float64Array) =>
      a.reduce((sum, value, i) => sum + value * (b[i] ?? NaN), 0)
    expect(found).toHaveLength(2)
    found.forEach((a, i) => {
      for (const other of others) expect(Math.abs(dot(a, other))).toBeLessThan(1e-12)
      found.forEach((b, j) => expect(dot(a, b)).toBeCloseTo(Number(i === j), 12))
    })
    expect(specificDirections(forgotten, [...others, ...found])).toEqual([])
  })

  test.each([
    ['a span that has everything', vectors([1, 2]), vectors([1, 0], [1, 1])],
    ['a multiple of a retained prototype', vectors([2, 4, 6]), vectors([1, 2, 3])],
    ['prototypes of zeros', vectors([0, 0]), vectors([1, 0])],
    ['a remainder of rounding', vectors([1, 1, 1e-7]), vectors([1, 1, 0])],
  ])('there are none for %s', (_, forgotten, others) => {
    expect(specificDirections(forgotten, others)).toEqual([])
  })

  test('removing one leaves a matrix without a response to it, at every place of a kernel', () => {
    const random = stream(1, 'weights')
    const weights = Float32Array.from({ length: 4 * 3 * 2 }, () => random.normal())
    const before = weights.slice()
    const direction = Float64Array.of(0.6, 0, 0.8)
    const response = (w: Float32Array, place: number, out: number) =>
      direction.reduce((sum, value, i) => sum + value * (w[place * 6 + i * 2 + out] ?? NaN), 0)
    removeDirections(weights, { in: 3, out: 2 }, { directions: [direction], share: 0.25 })
    for (let place = 0; place < 4; place++)
      for (let out = 0; out < 2; out++) {
        expect(response(weights, place, out)).toBeCloseTo(0.75 * response(before, place, out), 5)
        // What is orthogonal to the direction stays.
        expect(weights[place * 6 + 2 + out]).toBe(before[place * 6 + 2 + out])
      }
  })
})

describe('separability', () => {
  const random = stream(1, 'features')
  const draw = (n: number, d: number, shift: number) =>
    tf.tensor2d(Array.from({ length: n }, () => Array.from({ length: d }, () => shift + random.normal())))

  test.each([
    { n: 40, d: 5, shift: 0.6 },
    { n: 21, d: 60, shift: 0.2 },
  ])(
    'is 2a − 1 with the accuracy a of the report’s probe: $n samples, $d features',
    async ({ n, d, shift }) => {
      const [f, r] = [draw(n, d, shift), draw(n, d, 0)]
      const half = Math.ceil(n / 2)
      const part = (from: number, count: number) => ({
        features: tf.concat2d([f.slice(from, count), r.slice(from, count)], 0),
        labels: Int32Array.from({ length: 2 * count }, (_, i) => Number(i < count)),
      })
      const measured = await probeAccuracy(part(0, half), part(half, n - half))
      if (!('value' in measured)) throw new Error('the probe has no accuracy')
      const found = await separability(f, r)
      expect(found).toBeGreaterThan(0)
      expect(found).toBeLessThan(1)
      expect(found).toBeCloseTo(Math.max(0, (2 * measured.value) / 100 - 1), 12)
    },
  )

  test('is 1 for sets apart, and never below 0', async () => {
    expect(await separability(draw(20, 3, 100), draw(20, 3, 0))).toBe(1)
    // Each test sample lies where the other set's training samples lie.
    const [a, b] = [tf.tensor2d([[1], [-1]]), tf.tensor2d([[-1], [1]])]
    expect(await separability(a, b)).toBe(0)
    expect(await separability(tf.zeros([1, 3]), tf.ones([1, 3]))).toBe(0)
    expect(await separability(tf.zeros([6, 3]), tf.zeros([6, 3]))).toBe(0)
  })
})

test.each(['cnn', 'resnet'] as const)(
  'the %s forgets the class and keeps the others; biases and the first layer stay',
  async (name) => {
    const [layers, original] = [toyModels[name], trainedOriginal(name)]
    const data = deviceData()
    const { weights } = await unlearn(methodSpec({ method: 'damp' }), context(layers, original, data))
    expect(await accuracyOn(forget, layers, weights, data)).toBeLessThan(50)
    expect(await accuracyOn(retained, layers, weights, data)).toBeGreaterThan(85)
    const { trained } = parameterSpecs(layers)
    const [before, after] = [original, weights].map((each) => unpackArrays(trained, each.trained))
    const [first, ...others] = adaptableLayers(layers).map((layer) => `${layer.name}.weight`)
    expect(after?.[first ?? '']).toEqual(before?.[first ?? ''])
    expect(
      others.filter((weight) =>
        after?.[weight]?.values.some((value, i) => value !== before?.[weight]?.values[i]),
      ),
    ).not.toEqual([])
    for (const { name: part } of trained.filter(({ name: part }) => !part.endsWith('.weight')))
      expect(after?.[part]).toEqual(before?.[part])
    data.dispose()
  },
)

test('a split that leaves samples of the class is refused', () => {
  const config = edited('- method: original', '- method: damp')
  expect(checkProblems(config)).toEqual([])
  const split = config.replace('kind: class', 'kind: class-fraction\n  fraction: 0.5')
  expect(checkProblems(split)).toMatchObject([
    {
      path: 'methods[0].method',
      message:
        'damp removes directions of whole classes, and the split is of kind "class-fraction"; split by class, or leave damp out',
    },
  ])
})
