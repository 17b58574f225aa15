import { Matrix } from 'ml-matrix'
import { expect, test } from 'vitest'
import type { Tensor2D } from '@tensorflow/tfjs'
import { layersOf } from '../../../../experiment/models/model.ts'
import { modelSchema } from '../../../../experiment/spec/model.ts'
import { DeviceData } from '../../../../learning/data/device-data.ts'
import { initialWeights, parameterSpecs, unpackArrays } from '../../../../learning/model/parameters.ts'
import { whitened, whiteningFilters } from '../../../../learning/model/whitening.ts'
import { stream } from '../../../../learning/random.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'

const shape = [25, 26, 3] as const
const layers = layersOf(modelSchema.parse({ name: 'airbench', widths: [4, 4, 4] }), shape, 3)
const specs = parameterSpecs(layers)

/** Images of noise that is correlated between neighbours and channels. */
function correlated(samples: number) {
  const random = stream(1, 'whitening')
  const size = shape[0] * shape[1] * shape[2]
  let level = 128
  const images = Uint8Array.from({ length: samples * size }, () => {
    level = 0.9 * level + 0.1 * 255 * random.uniform()
    return Math.min(255, level + 20 * random.uniform())
  })
  const scale = { mean: [128, 128, 128], deviation: [20, 20, 20] }
  return new DeviceData(images, new Int32Array(samples), { shape, classes: 3, ...scale })
}

const start = initialWeights(specs, stream(2, 'weights'))
const weightsOf = async (data: DeviceData, indices: Int32Array) =>
  whitened(layers, start, data, indices, { random: stream(3, 'draw') })

test('the outputs have the identity as second moments, and the second half is the negative of the first', async () => {
  const data = correlated(40)
  const indices = Int32Array.from({ length: 40 }, (_, i) => i)
  const { statistics, trained } = await weightsOf(data, indices)
  expect(trained).toEqual(start.trained)
  const { 'whiten.weight': found, ...others } = unpackArrays(specs.statistics, statistics)
  const { 'whiten.weight': _, ...before } = unpackArrays(specs.statistics, start.statistics)
  expect(others).toEqual(before)
  expect(found?.shape).toEqual([2, 2, 3, 24])
  const kernel = tf.tensor4d(found?.values ?? [], [2, 2, 3, 24])
  const rows: Tensor2D = tf.conv2d(data.images(indices), kernel, 1, 'valid').reshape([-1, 24])
  const moments = tf.matMul(rows, rows, true).div(rows.shape[0]).arraySync() as number[][]
  moments.forEach((row, i) =>
    row.forEach((value, j) => {
      // λ / (λ + 5e-4) is close to 1 for the eigenvalues of these images.
      const expected = i % 12 === j % 12 ? (i === j ? 1 : -1) : 0
      expect(Math.abs(value - expected)).toBeLessThan(0.02)
    }),
  )
  data.dispose()
})

test('samples that are not trained on have no influence', async () => {
  const data = correlated(40)
  const retained = Int32Array.from({ length: 30 }, (_, i) => i)
  const fewer = correlated(30)
  expect(await weightsOf(data, retained)).toEqual(await weightsOf(fewer, retained))
  const all = Int32Array.from({ length: 40 }, (_, i) => i)
  expect(await weightsOf(data, all)).not.toEqual(await weightsOf(data, retained))
  data.dispose()
  fewer.dispose()
})

test('filters are eigenvectors by descending eigenvalue with a positive largest component', () => {
  const filters = Matrix.from1DArray(
    2,
    4,
    whiteningFilters(
      new Matrix([
        [2, -1],
        [-1, 2],
      ]),
    ),
  )
  // The eigenvalues are 3 with (1, −1)/√2, whose components are equal in magnitude, and 1.
  const [first, second] = [1 / Math.sqrt(2 * 3.0005), 1 / Math.sqrt(2 * 1.0005)]
  const column = (i: number) => filters.getColumn(i)
  expect(column(0).map(Math.abs)).toEqual([expect.closeTo(first, 6), expect.closeTo(first, 6)])
  expect((column(0)[0] ?? 0) * (column(0)[1] ?? 0)).toBeLessThan(0)
  expect(column(1)).toEqual([expect.closeTo(second, 6), expect.closeTo(second, 6)])
  expect(column(2)).toEqual(column(0).map((value) => -value))
  expect(column(3)).toEqual(column(1).map((value) => -value))
})

test('models without a whitening layer keep their weights', async () => {
  const plain = layersOf(modelSchema.parse({ name: 'mlp' }), shape, 3)
  const weights = initialWeights(parameterSpecs(plain), stream(1, 'weights'))
  const data = correlated(2)
  expect(await whitened(plain, weights, data, Int32Array.of(0, 1), { random: stream(1) })).toBe(weights)
  data.dispose()
})
