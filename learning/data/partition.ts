import type { Shape } from '../../experiment/models/model.ts'
import { permutation, stream } from '../random.ts'

/** Sample indices of the training, validation and test sets, each ascending. */
export interface Partition {
  readonly train: Int32Array
  readonly validation: Int32Array
  readonly test: Int32Array
}

/**
 * Cuts a data set of which the first `trainable` samples come from training files. `sizes` are those of the three sets
 * (experiment/spec/check.ts); what test files do not give of the test set is drawn, and so is the validation set.
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

/** Sums over the pixels of each channel, and over their squares. Plain JSON. */
export interface PixelSums {
  readonly sums: readonly number[]
  readonly squares: readonly number[]
}

export const noPixels: PixelSums = { sums: [], squares: [] }

/** Adds the images at these indices, in their order. images: bytes [n, h, w, c]. */
export function addPixels(
  before: PixelSums,
  images: Uint8Array,
  indices: Int32Array,
  [height, width, channels]: Shape,
): PixelSums {
  const sums = Float64Array.from({ length: channels }, (_, c) => before.sums[c] ?? 0)
  const squares = Float64Array.from({ length: channels }, (_, c) => before.squares[c] ?? 0)
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
  return { sums: [...sums], squares: [...squares] }
}

/** Mean and standard deviation of each channel, in pixel units. `pixels`: of all images that were added. */
export function pixelStatistics({ sums, squares }: PixelSums, pixels: number) {
  const mean = Float32Array.from(sums, (sum) => sum / pixels)
  const deviation = Float32Array.from(squares, (square, c) => {
    const average = (sums[c] ?? 0) / pixels
    return Math.sqrt(Math.max(square / pixels - average * average, 1e-12))
  })
  return { mean, deviation }
}
