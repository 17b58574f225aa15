import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { optimizerSchema } from '../../../experiment/spec/optimizer.ts'
import type { Shape } from '../../../experiment/models/layers.ts'
import { layersOf } from '../../../experiment/models/model.ts'
import { modelSchema } from '../../../experiment/spec/model.ts'
import { Compiled } from '../../../learning/graph/compiled.ts'
import { crossEntropy } from '../../../learning/training/losses.ts'
import { forward } from '../../../learning/model/forward.ts'
import { initialWeights, parameterSpecs, unpack } from '../../../learning/model/parameters.ts'
import { stream } from '../../../learning/random.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import { train } from '../../../learning/training/train.ts'
import { normal } from '../../support/tensors.ts'

const MANY = 1000

interface Counted {
  readonly binding: { getNumOfTensors(): number; getNumOfSavedModels(): number }
}
const { binding } = tf.backend() as unknown as Counted

beforeEach(() => {
  vi.stubEnv('ZEROSHIFT_GRAPHS', 'auto')
})
afterEach(() => {
  vi.unstubAllEnvs()
})

/** The numbers of what a function gives. */
function numbers(f: () => Tensor): readonly number[] {
  const result = f()
  const values = [...result.dataSync()]
  result.dispose()
  return values
}

/** Calls a function eagerly and compiled, once for each input, and expects the same numbers. */
function expectSame<T>(inputs: readonly T[], f: (input: T) => Tensor): void {
  const graphs = new Compiled(MANY)
  for (const input of inputs) {
    const call = () => tf.tidy(() => f(input))
    expect(numbers(() => graphs.run(call))).toEqual(numbers(call))
  }
  graphs.dispose()
}

const x = normal([4, 6], 1) as Tensor2D
const image = normal([2, 8, 8, 3], 2) as Tensor4D
const kernel = normal([3, 3, 3, 4], 3) as Tensor4D

/** Operations on a matrix, each with a number that may differ between calls. */
const operations: readonly ((y: Tensor2D, number: number) => Tensor2D)[] = [
  (y, number) => y.mul(number),
  (y) => y.add(x),
  (y) => y.sub(y.mean(0, true)),
  (y, number) => tf.gather(y, tf.tensor1d([number % 4, 3, 0, 1], 'int32')),
  (y, number) => y.slice([0, number % 3], [4, 3]).tile([1, 2]),
  (y) => y.reshape<Tensor2D>([6, 4]).transpose<Tensor2D>(),
  (y) => tf.matMul<Tensor2D>(y, x, true).slice([0, 0], [4, 6]),
  (y, number) => (number % 2 === 0 ? tf.relu(y) : tf.neg(y)),
  (y) => tf.where(y.greater(0), y, x),
  (y) => tf.grad((z) => z.square().sum().mul(z.mean()))(y) as Tensor2D,
  (y) => tf.concat([y, y.square()], 1).slice([0, 3], [4, 6]),
]

test('any function gives the same bytes as a graph, call after call', () => {
  const step = fc.record({
    operation: fc.nat(operations.length - 1),
    numbers: fc.array(fc.nat(5), { minLength: 4, maxLength: 4 }),
  })
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), (steps) => {
      expectSame([0, 1, 2, 3], (call) =>
        steps.reduce((y, one) => operations[one.operation]?.(y, one.numbers[call] ?? 0) ?? y, x),
      )
    }),
    { numRuns: 40 },
  )
})

test.each([
  ['a convolution', () => tf.conv2d(image, kernel, 1, 'same')],
  [
    'its gradients',
    () => tf.grads((a, b) => tf.conv2d(a as Tensor4D, b as Tensor4D, 2, 'same'))([image, kernel])[1],
  ],
  ['a maximum', () => tf.maxPool(image, 2, 2, 'same')],
  [
    'the gradient of maxima, some of equal numbers',
    () => tf.grad((a) => tf.maxPool(a.mul(2).round() as Tensor4D, 2, 2, 'same').square())(image),
  ],
  [
    'the gradient of overlapping maxima',
    () => tf.grad((a) => tf.maxPool(a as Tensor4D, 3, 2, 'valid').square())(image),
  ],
  ['a softmax, which is not compiled', () => tf.softmax(x)],
] as const)('%s gives the same bytes as a graph', (_, f) => {
  expectSame([0, 1], () => f() as Tensor)
})

const models: readonly [string, object, Shape][] = [
  ['cnn', { name: 'cnn', channels: [4, 8], hidden: 16 }, [8, 8, 1]],
  ['mlp', { name: 'mlp', hidden: [16] }, [8, 8, 1]],
  ['resnet-cifar', { name: 'resnet-cifar', depth: 8 }, [16, 16, 3]],
]

test.each(models)(
  'training %s gives the same bytes as a graph, for every optimizer',
  async (_, fields, shape) => {
    const layers = layersOf(modelSchema.parse(fields), shape, 10)
    const specs = parameterSpecs(layers)
    const images = normal([16, ...shape], 5)
    for (const fieldsOf of [
      { name: 'adam', learningRate: 1e-2, weightDecay: 1e-3 },
      { name: 'sgd', learningRate: 1e-2, momentum: 0.9, nesterov: true, weightDecay: 1e-3 },
    ]) {
      const run = (setting: string) => {
        vi.stubEnv('ZEROSHIFT_GRAPHS', setting)
        return train({
          initial: initialWeights(specs, stream(1, 'weights')).trained,
          steps: 6,
          optimizer: optimizerSchema.parse(fieldsOf),
          schedule: { name: 'cosine' },
          loss: (flat, step) => {
            const labels = tf.tensor1d(
              Int32Array.from({ length: 16 }, (_, i) => (i * (step + 1)) % 10),
              'int32',
            )
            const { output, statistics } = forward(layers, unpack(specs.trained, flat), images, {
              training: true,
            })
            tf.dispose(statistics)
            return crossEntropy(output, labels, 0.1)
          },
        })
      }
      expect(await run('always')).toEqual(await run('never'))
    }
    images.dispose()
  },
)

test('tensors from outside may be replaced, kept and disposed of by the function', () => {
  const graphs = new Compiled(MANY)
  let state: Tensor1D = tf.tensor1d([1, 2, 3])
  for (let i = 1; i <= 5; i++) {
    const result = graphs.run(() =>
      tf.tidy(() => {
        const next = tf.keep(state.mul<Tensor1D>(2))
        state.dispose()
        state = next
        return next.sum()
      }),
    )
    expect(result.dataSync()[0]).toBe(6 * 2 ** i)
    result.dispose()
  }
  expect([...state.dataSync()]).toEqual([32, 64, 96])
  state.dispose()
  graphs.dispose()
})

test('a tensor of numbers that the function keeps is there afterwards', () => {
  const graphs = new Compiled(MANY)
  for (const size of [2, 2, 3]) {
    const kept = graphs.run(() =>
      tf.tidy(() => {
        const shape = tf.tensor1d([size, 6 / size], 'int32')
        return [
          shape,
          x
            .slice([0, 0], [1, 6])
            .reshape([size, 6 / size])
            .add(shape.sum().toFloat()),
        ]
      }),
    )
    expect([...(kept[0] as Tensor).dataSync()]).toEqual([size, 6 / size])
    expect((kept[1] as Tensor).shape).toEqual([size, 6 / size])
    tf.dispose(kept)
  }
  graphs.dispose()
})

test('the first call has the same graph as the others, though it is the first to use a tensor', () => {
  const before = binding.getNumOfSavedModels()
  const graphs = new Compiled(MANY)
  const unused = tf.tensor1d([1, 2, 3, 4, 5, 6, 7])
  for (const i of [1, 2, 3])
    expect(numbers(() => graphs.run(() => tf.tidy(() => unused.mul(i).cumsum())))[6]).toBe(28 * i)
  expect(binding.getNumOfSavedModels()).toBe(before + 1)
  unused.dispose()
  graphs.dispose()
})

test('a function that reads the numbers of a tensor is refused, and leaves nothing behind', () => {
  const graphs = new Compiled(MANY)
  const before = [tf.memory().numTensors, binding.getNumOfTensors()]
  const reading = () => tf.tidy(() => x.mul((x.sum().dataSync()[0] ?? 0) + 1))
  expect(() => graphs.run(reading)).toThrow(/reads the numbers of a tensor/)
  expect([tf.memory().numTensors, binding.getNumOfTensors()]).toEqual(before)
  graphs.dispose()
})

test("an error of the function's own passes, and the next call is as if it had not been", () => {
  const graphs = new Compiled(MANY)
  const call = (fails: boolean) => () =>
    tf.tidy(() => {
      const y = x.mul(3)
      if (fails) throw new Error('of its own')
      return y.add(1)
    })
  const expected = numbers(call(false))
  expect(numbers(() => graphs.run(call(false)))).toEqual(expected)
  const before = [tf.memory().numTensors, binding.getNumOfTensors()]
  expect(() => graphs.run(call(true))).toThrow('of its own')
  expect([tf.memory().numTensors, binding.getNumOfTensors()]).toEqual(before)
  expect(numbers(() => graphs.run(call(false)))).toEqual(expected)
  graphs.dispose()
})

test('memory stays flat over 10,000 calls and 200 compiled functions', () => {
  const y = tf.tensor1d([1, 2, 3])
  const calls = (graphs: Compiled, count: number, factor: number) => {
    for (let i = 0; i < count; i++) graphs.run(() => tf.tidy(() => y.mul(i).tile([factor]).sum())).dispose()
  }
  const first = new Compiled(MANY)
  calls(first, 10, 2)
  const tensors = [tf.memory().numTensors, binding.getNumOfTensors()]
  calls(first, 10_000, 2)
  first.dispose()
  for (let k = 0; k < 200; k++) {
    const other = new Compiled(MANY)
    calls(other, 2, 1 + (k % 50))
    other.dispose()
  }
  expect([tf.memory().numTensors, binding.getNumOfTensors()]).toEqual(tensors)
  // The graphs that were used last are kept.
  expect(binding.getNumOfSavedModels()).toBe(16)
  y.dispose()
})

test('within a compiled function another one becomes part of it', () => {
  const outer = new Compiled(MANY)
  const inner = new Compiled(MANY)
  const call = () => tf.tidy(() => inner.run(() => x.mul(2)).add(1))
  expect(numbers(() => outer.run(call))).toEqual(numbers(() => tf.tidy(() => x.mul(2).add(1))))
  inner.dispose()
  outer.dispose()
})

test('what ZEROSHIFT_GRAPHS may be is checked', () => {
  vi.stubEnv('ZEROSHIFT_GRAPHS', 'sometimes')
  expect(() => new Compiled(MANY)).toThrow(
    "ZEROSHIFT_GRAPHS is 'sometimes'; expected one of auto, always, never",
  )
})
