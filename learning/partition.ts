import type { Shape } from '../experiment/model.ts'
import type { DataSpec } from '../experiment/spec.ts'
import { permutation, stream } from './random.ts'

/** Sample indices of the training, validation and test sets, each ascending. */
export interface Partition {
  readonly train: Int32Array
  readonly validation: Int32Array
  readonly test: Int32Array
}

/**
 * Cuts `samples` samples, of which the first `trainable` come from training files. A data set without test files gives up
 * the share `test` of its samples; the share `validation` of the training samples is held out of all training.
 */
export function partition(samples: number, trainable: number, data: DataSpec, seed: number): Partition {
  const order = permutation(trainable, stream(seed, 'partition'))
  const tested =
    trainable === samples && 'test' in data && typeof data.test === 'number'
      ? Math.round(data.test * trainable)
      : 0
  const validated = Math.round(data.validation * (trainable - tested))
  const official = Int32Array.from({ length: samples - trainable }, (_, i) => trainable + i)
  return {
    test: tested > 0 ? order.slice(0, tested).sort() : official,
    validation: order.slice(tested, tested + validated).sort(),
    train: order.slice(tested + validated).sort(),
  }
}

/** Mean and standard deviation of each channel over some images, in pixel units. images: bytes [n, h, w, c]. */
export function pixelStatistics(images: Uint8Array, indices: Int32Array, [height, width, channels]: Shape) {
  const sums = new Float64Array(channels)
  const squares = new Float64Array(channels)
  const size = height * width * channels
  for (const i of indices) {
    for (let p = i * size; p < (i + 1) * size; p += channels) {
      for (let c = 0; c < channels; c++) {
        const value = images[p + c] ?? 0
        sums[c] = (sums[c] ?? 0) + value
        squares[c] = (squares[c] ?? 0) + value * value
      }
    }
  }
  const count = indices.length * height * width
  const mean = Float32Array.from(sums, (sum) => sum / count)
  const deviation = Float32Array.from(squares, (square, c) => {
    const average = (sums[c] ?? 0) / count
    return Math.sqrt(Math.max(square / count - average * average, 1e-12))
  })
  return { mean, deviation }
}
