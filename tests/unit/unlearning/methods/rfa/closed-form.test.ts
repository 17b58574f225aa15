import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import { Matrix, SingularValueDecomposition } from 'ml-matrix'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MathError } from '../../../../../common/errors.ts'
import { adaptableLayers, type AdaptableLayer } from '../../../../../experiment/models/layers.ts'
import { adapted, lora } from '../../../../../learning/model/lora.ts'
import { forward } from '../../../../../learning/model/forward.ts'
import { initialWeights, parameterSpecs, totalSize } from '../../../../../learning/model/parameters.ts'
import { parametersOf } from '../../../../../learning/model/predict.ts'
import { stream } from '../../../../../learning/random.ts'
import { tf } from '../../../../../learning/tensorflow/tf.ts'
import { closedFormAdapter, RidgeProblem } from '../../../../../unlearning/methods/rfa/closed-form.ts'
import { patches } from '../../../../../learning/model/patches.ts'
import { choleskySolve } from '../../../../../unlearning/linear-algebra/solve.ts'
import { toyModels } from '../../../../support/toy.ts'

beforeEach(() => {
  tf.engine().startScope()
})
afterEach(() => {
  tf.engine().endScope()
})

function normal(name: string, ...shape: number[]): Tensor {
  const random = stream(1, name)
  const size = shape.reduce((product, side) => product * side, 1)
  return tf.tensor(
    Float32Array.from({ length: size }, () => random.normal()),
    shape,
  )
}

const linear: AdaptableLayer = { kind: 'linear', name: 'layer', in: 6, out: 4 }

/** Σ ω ‖x ΔW − R‖² of an update. */
const misfit = (x: Tensor, r: Tensor, update: Tensor) =>
  Number(
    tf
      .matMul(x as Tensor2D, update as Tensor2D)
      .sub(r)
      .square()
      .sum()
      .arraySync(),
  )
const product = ({ a, b }: { a: Float32Array; b: Float32Array }, rank: number) =>
  tf.matMul(tf.tensor2d(a, [a.length / rank, rank]), tf.tensor2d(b, [rank, b.length / rank]))

describe('patches', () => {
  test.each([
    [3, 1, 6, 5],
    [3, 2, 6, 6],
    [3, 2, 7, 5],
    [1, 2, 6, 7],
    [5, 1, 8, 8],
  ])('of a %i×%i kernel of stride %i multiply to the convolution of %i×%i images', (kernel, stride, h, w) => {
    const layer = { kind: 'conv', name: 'layer', in: 2, out: 3, kernel, stride, bias: false } as const
    const [x, weight] = [normal('x', 4, h, w, 2), normal('w', kernel, kernel, 2, 3)]
    const expected = tf.conv2d(x as Tensor4D, weight as Tensor4D, stride, 'same')
    const found = tf.matMul(patches(layer, x), weight.reshape<Tensor2D>([-1, 3]))
    expect(Number(found.reshape(expected.shape).sub(expected).abs().max().arraySync())).toBeLessThan(1e-4)
  })
})

describe('the closed form of one layer', () => {
  test('finds an update of low rank that is there to be found', async () => {
    const x = normal('x', 200, 6)
    const planted = tf.matMul(normal('a', 6, 2), normal('b', 2, 4))
    const problem = new RidgeProblem(linear)
    await problem.add(x, tf.matMul(x, planted), 1 / 200)
    const found = product(await problem.solve(2, 1e-9), 2)
    expect(Number(found.sub(planted).abs().max().arraySync())).toBeLessThan(1e-4)
  })

  test('is better, in the metric of the inputs, than cutting off the singular values of the full update', async () => {
    // Inputs whose directions weigh differently.
    const x = normal('x', 300, 6).mul(tf.tensor1d([5, 3, 1, 0.5, 0.2, 0.1]))
    const r = normal('r', 300, 4)
    const problem = new RidgeProblem(linear)
    await problem.add(x, r, 1)
    const full = product(await problem.solve(4, 1e-9), 4)
    const { leftSingularVectors, rightSingularVectors, diagonal } = new SingularValueDecomposition(
      new Matrix((await full.array()) as number[][]),
    )
    for (const rank of [1, 2, 3]) {
      const cut = leftSingularVectors
        .subMatrix(0, 5, 0, rank - 1)
        .mmul(Matrix.diag(diagonal.slice(0, rank)))
        .mmul(rightSingularVectors.subMatrix(0, 3, 0, rank - 1).transpose())
      const best = misfit(x, r, product(await problem.solve(rank, 1e-9), rank))
      expect(best).toBeLessThan(misfit(x, r, tf.tensor2d(cut.to2DArray())))
      expect(best).toBeGreaterThan(misfit(x, r, full))
    }
  })

  test('weighs samples, and is the same however they are cut into batches', async () => {
    const [x, r] = [normal('x', 40, 6), normal('r', 40, 4)]
    const [whole, twice] = [new RidgeProblem(linear), new RidgeProblem(linear)]
    await whole.add(x, r, 2)
    for (const first of [0, 10, 20, 30])
      for (let i = 0; i < 2; i++) await twice.add(tf.slice(x, first, 10), tf.slice(r, first, 10), 1)
    const difference = product(await whole.solve(4, 0.01), 4).sub(product(await twice.solve(4, 0.01), 4))
    expect(Number(difference.abs().max().arraySync())).toBeLessThan(1e-5)
  })

  test('shrinks with the ridge, and needs one where inputs have no energy', async () => {
    const problem = new RidgeProblem(linear)
    await problem.add(normal('x', 50, 6), normal('r', 50, 4), 1)
    const size = async (ridge: number) =>
      Number(
        product(await problem.solve(4, ridge), 4)
          .norm()
          .arraySync(),
      )
    expect(await size(1)).toBeLessThan(await size(0.1))
    expect(await size(1e6)).toBeLessThan(1e-4)
    const empty = new RidgeProblem(linear)
    await empty.add(tf.zeros([50, 6]), normal('r', 50, 4), 1)
    await expect(empty.solve(4, 0.1)).rejects.toThrow(MathError)
  })
})

test('the event loop breathes while a large problem is solved', async () => {
  const size = 600
  const matrix = Float64Array.from({ length: size * size }, (_, i) =>
    i % (size + 1) === 0
      ? size
      : Math.sin(Math.min(i % size, Math.floor(i / size)) + 2 * Math.max(i % size, Math.floor(i / size))),
  )
  let breaths = 0
  const breathing = setInterval(() => breaths++, 1)
  const solution = await choleskySolve(
    size,
    matrix,
    Float64Array.from({ length: size }, () => 1),
  )
  clearInterval(breathing)
  const row = Float64Array.from({ length: size }, (_, j) => (matrix[j] ?? 0) * (solution?.[j] ?? NaN))
  expect(row.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 9)
  expect(breaths).toBeGreaterThan(5)
  const negative = Float64Array.from(matrix, (value) => -value)
  expect(await choleskySolve(size, negative, new Float64Array(size))).toBeUndefined()
})

test.each(Object.entries(toyModels))(
  'a %s that is right already gets no update; one whose target is another adapter comes to it',
  async (_, layers) => {
    const base = parametersOf(layers, initialWeights(parameterSpecs(layers), stream(1, 'weights')))
    const adapter = lora(adaptableLayers(layers).slice(-2), { rank: 2, alpha: 6, rslora: false })
    const wrapped = new Set(adapter.layers.map(({ name }) => name))
    const from = layers.findIndex(({ name }) => wrapped.has(name) || name.startsWith('stage3'))
    const input = forward(layers, base, normal('x', 300, 6, 6, 1), { to: from }).output
    const outputs = (parameters: Float32Array) =>
      forward(layers, adapted(adapter, base, tf.tensor1d(parameters)), input, { from, capture: wrapped })
        .features
    const solve = (features: Readonly<Record<string, Tensor>>) =>
      closedFormAdapter(
        adapter,
        layers,
        base,
        [{ input, output: (name, rows) => tf.gather(features[name] as Tensor, rows), weight: 1 }],
        { from, ridge: 1e-8 },
      )

    const nothing = new Float32Array(totalSize(adapter.specs))
    const before = outputs(nothing)
    const same = outputs(await solve(before))
    const random = stream(1, 'adapter')
    const wanted = outputs(nothing.map(() => 0.3 * random.normal()))
    const held = tf.memory().numTensors
    const parameters = await solve(wanted)
    expect(tf.memory().numTensors).toBe(held)
    const after = outputs(parameters)
    const apart = (
      left: Readonly<Record<string, Tensor>>,
      right: Readonly<Record<string, Tensor>>,
      name: string,
    ) =>
      Number(
        (left[name] as Tensor)
          .sub(right[name] as Tensor)
          .square()
          .mean()
          .arraySync(),
      )
    for (const name of wrapped) {
      expect(apart(before, same, name)).toBeLessThan(1e-6)
      expect(apart(before, wanted, name)).toBeGreaterThan(1e-2)
      expect(apart(after, wanted, name)).toBeLessThan(1e-3 * apart(before, wanted, name))
    }
  },
)
