import type { Tensor } from '@tensorflow/tfjs'
import { expect } from 'vitest'
import { stream } from '../../learning/random.ts'
import { tf } from '../../learning/tensorflow/tf.ts'

/** Standard normal values of a shape, the same for the same seed. */
export function normal(shape: number[], seed: number): Tensor {
  const random = stream(seed, 'test')
  const size = shape.reduce((product, side) => product * side, 1)
  return tf.tensor(
    Float32Array.from({ length: size }, () => random.normal()),
    shape,
  )
}

/** Every element within `tolerance`, absolute. */
export function closeTo(actual: Tensor, expected: Tensor, tolerance: number): void {
  expect(actual.shape).toEqual(expected.shape)
  const worst = actual.sub(expected).abs().max().dataSync()[0]
  expect(worst).toBeLessThanOrEqual(tolerance)
}
