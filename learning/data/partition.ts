import type { Shape } from '../../experiment/models/layers.ts'
import { permutation, stream } from '../random.ts'

/** Sample indices of the training, validation and test sets, each ascending. */
export interface Partition {
  readonly train: Int32Array
  readonly validation: Int32Array
  readonly test: Int32Array
}

/**
 * Divides a data set into training, validation and test samples. The first `trainable` samples come
 * from the training files and the others from the test files. `sizes` are the sizes of the three
 * sets (experiment/spec/check.ts). All samples of the test files are test samples. The rest of the
 * test set and the validation set are drawn from the training files, without the samples `keep`,
 * which stay training samples.
 *
 * Throws a RangeError if too few samples are left to draw from.
 */
export function partition(
  sizes: Readonly<Record<keyof Partition, number>>,
  trainable: number,
  seed: number,
  keep: readonly number[] = [],
): Partition {
  const samples = sizes.train + sizes.validation + sizes.test
  const order = withLast(permutation(trainable, stream(seed, 'partition')), new Set(keep))
  const tested = sizes.test - (samples - trainable)
  const free = trainable - keep.length
  if (tested + sizes.validation > free)
    throw new RangeError(
      `${tested + sizes.validation} samples are to be set apart, and ${free} may be: ${keep.length} of ${trainable} stay training samples`,
    )
  const official = Int32Array.from({ length: samples - trainable }, (_, i) => trainable + i)
  return {
    test: Int32Array.from([...order.subarray(0, tested).sort(), ...official]),
    validation: order.slice(tested, tested + sizes.validation).sort(),
    train: order.slice(tested + sizes.validation).sort(),
  }
}

/** The same values with those of a set behind all others. */
function withLast(values: Int32Array, last: ReadonlySet<number>): Int32Array {
  if (last.size === 0) return values
  return Int32Array.from([
    ...values.filter((value) => !last.has(value)),
    ...values.filter((value) => last.has(value)),
  ])
}

/** The sums of the pixels and of their squares, per channel. Plain JSON. */
export interface PixelSums {
  readonly sums: readonly number[]
  readonly squares: readonly number[]
}

export const noPixels: PixelSums = { sums: [], squares: [] }

/** Adds the pixels of the images at these indices, in this order. images: bytes [n, h, w, c]. */
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

/**
 * Mean and standard deviation per channel, in pixel units. pixels: the number of pixels per channel
 * that were added.
 */
export function pixelStatistics({ sums, squares }: PixelSums, pixels: number) {
  const mean = Float32Array.from(sums, (sum) => sum / pixels)
  const deviation = Float32Array.from(squares, (square, c) => {
    const average = (sums[c] ?? 0) / pixels
    return Math.sqrt(Math.max(square / pixels - average * average, 1e-12))
  })
  return { mean, deviation }
}
