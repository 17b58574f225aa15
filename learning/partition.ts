import type { Shape } from '../experiment/model.ts'
import { permutation, stream } from './random.ts'

/** Sample indices of the training, validation and test sets, each ascending. */
export interface Partition {
  readonly train: Int32Array
  readonly validation: Int32Array
  readonly test: Int32Array
}

/**
 * Cuts a data set of which the first `trainable` samples come from training files. `sizes` are those of the three sets
 * (experiment/check.ts); what test files do not give of the test set is drawn, and so is the validation set.
 */
export function partition(
  sizes: Readonly<Record<keyof Partition, number>>,
  trainable: number,
  seed: number,
): Partition {
  const samples = sizes.train + sizes.validation + sizes.test
  const order = permutation(trainable, stream(seed, 'partition'))
  const tested = sizes.test - (samples - trainable)
  const official = Int32Array.from({ length: samples - trainable }, (_, i) => trainable + i)
  return {
    test: Int32Array.from([...order.subarray(0, tested).sort(), ...official]),
    validation: order.slice(tested, tested + sizes.validation).sort(),
    train: order.slice(tested + sizes.validation).sort(),
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
