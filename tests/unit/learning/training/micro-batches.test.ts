import type { Tensor, Tensor1D } from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import { layersOf } from '../../../../experiment/models/model.ts'
import { modelSchema } from '../../../../experiment/spec/model.ts'
import { crossEntropy } from '../../../../learning/training/losses.ts'
import { fitLoss } from '../../../../learning/training/fit.ts'
import { microBatchSize, inMicroBatches, type RowsOf } from '../../../../learning/training/micro-batches.ts'
import { initialWeights, parameterSpecs, unpackArrays } from '../../../../learning/model/parameters.ts'
import { stream } from '../../../../learning/random.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { normal } from '../../../support/tensors.ts'

describe('rows in micro-batches', () => {
  const weights = normal([12], 1).flatten()
  const x = normal([7, 3], 2)
  const run: RowsOf = (flat, rows) => {
    const product = rows.matMul(flat.reshape([3, 4])).tanh()
    return { product, shaped: product.reshape([-1, 2, 2]).square() }
  }
  /** No mean over samples: rows meet in it. */
  const loss = (microBatches: number) => (flat: Tensor) => {
    const { product, shaped } = inMicroBatches(microBatches, run, flat as Tensor1D, x) as Record<
      string,
      Tensor
    >
    const [a, b] = [product as Tensor, shaped as Tensor]
    return a
      .matMul(a, true)
      .square()
      .sum()
      .add(b.sum([1, 2]).prod())
      .asScalar()
  }

  test.each([2, 3, 4, 7, 100])(
    'in %i micro-batches have the value and the gradient of the whole',
    (microBatches) => {
      const whole = tf.valueAndGrad(loss(1))(weights)
      const cut = tf.valueAndGrad(loss(microBatches))(weights)
      expect(cut.value.dataSync()[0]).toBeCloseTo(whole.value.dataSync()[0] ?? NaN, 3)
      expect(Math.max(...whole.grad.abs().dataSync())).toBeGreaterThan(1)
      const error = cut.grad.sub(whole.grad).abs().max().div(whole.grad.abs().max())
      expect(error.dataSync()[0]).toBeLessThan(1e-6)
    },
  )

  test('hold one part in memory at a time, and leave nothing behind', () => {
    const peaks = [1, 7].map((microBatches) => {
      let peak = 0
      const watched: RowsOf = (flat, rows) => {
        const wide = rows.tile([1, 1000]).tanh().exp().sin()
        peak = Math.max(peak, tf.memory().numBytes)
        return { y: wide.reshape([-1, 1000, 3]).mean([1]).mul(flat.slice(0, 3)) }
      }
      const before = tf.memory()
      tf.tidy(() => {
        tf.valueAndGrad((flat) =>
          (inMicroBatches(microBatches, watched, flat as Tensor1D, x).y as Tensor).sum().asScalar(),
        )(weights)
      })
      expect(tf.memory().numTensors).toBe(before.numTensors)
      return peak - before.numBytes
    })
    const [whole = NaN, part = NaN] = peaks
    expect(part).toBeLessThan(whole / 5)
  })

  test('are as many at a time as a part has', () => {
    expect(
      [undefined, 1, 2, 3, 1000].map((microBatches) =>
        microBatchSize(256, microBatches ? { microBatches, step } : undefined),
      ),
    ).toEqual([256, 256, 128, 86, 1])
  })
})

const step = () => Promise.resolve()

describe('training in micro-batches', () => {
  const images = normal([12, 6, 6, 1], 3)
  const labels = tf.tensor1d(
    Array.from({ length: 12 }, (_, i) => i % 3),
    'int32',
  )
  const trained = async (norm: boolean, microBatches: number, steps = 5) => {
    const model = modelSchema.parse(
      norm ? { name: 'resnet-cifar', depth: 8, width: 4 } : { name: 'cnn', channels: [4, 4], hidden: 8 },
    )
    const layers = layersOf(model, [6, 6, 1], 3)
    const fitted = await fitLoss({
      layers,
      initial: initialWeights(parameterSpecs(layers), stream(1, 'test', 'weights')),
      optimizer: { name: 'sgd', learningRate: 0.1, momentum: 0.9, weightDecay: 0, nesterov: false },
      schedule: { name: 'constant' },
      steps,
      loss: (student) => crossEntropy(student.logits(images), labels),
      host: { microBatches, step },
    })
    return {
      ...fitted,
      statistics: unpackArrays(parameterSpecs(layers).statistics, fitted.weights.statistics),
    }
  }
  const distance = (one: Float32Array, other: Float32Array) =>
    Math.max(...one.map((value, i) => Math.abs(value - (other[i] ?? NaN))))

  test.each([2, 4, 12])(
    'takes the steps of the whole batch within float error: %i micro-batches',
    async (microBatches) => {
      const [whole, cut] = [await trained(false, 1), await trained(false, microBatches)]
      expect(distance(cut.weights.trained, whole.weights.trained)).toBeLessThan(1e-5)
      expect(cut.curve.at(-1)?.loss).toBeCloseTo(whole.curve.at(-1)?.loss ?? NaN, 5)
    },
  )

  test('differs by what batch norms see of a batch; their statistics follow the mean of the micro-batches', async () => {
    const before = tf.memory().numTensors
    const [whole, cut] = [await trained(true, 1, 1), await trained(true, 2, 1)]
    expect(tf.memory().numTensors).toBe(before)
    expect(distance(cut.weights.trained, whole.weights.trained)).toBeGreaterThan(1e-5)
    // The first norm sees the same in both, and the mean of two halves' means is the whole's.
    const first = Object.keys(whole.statistics).find((name) => name.endsWith('.mean')) ?? ''
    const [one, other] = [whole, cut].map(({ statistics }) => statistics[first]?.values ?? new Float32Array())
    expect(Math.max(...(one ?? []).map(Math.abs))).toBeGreaterThan(1e-3)
    expect(distance(one ?? new Float32Array(), other ?? new Float32Array())).toBeLessThan(1e-6)
  })
})
