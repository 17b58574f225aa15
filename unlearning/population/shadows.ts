import { permutation, stream } from '../../learning/random.ts'
import type { Pool } from './pool.ts'

/**
 * The φ of every sample of a data set under shadow models, and whether they trained on it. φ is
 * float32 to save memory.
 */
export interface Shadows {
  /** [models, samples], row-major, in nats. */
  readonly values: Float32Array
  /** [models, samples]: 1 where the model trained on the sample, else 0. */
  readonly members: Uint8Array
  readonly models: number
  readonly samples: number
}

/**
 * The samples that shadow model `index` (from 0) trains on, [samples] of 0 and 1. An even model
 * trains on a random half and the next model on the other half. For any k, exactly half of the
 * first 2k models train on any sample.
 */
export function shadowHalf(samples: number, seed: number, index: number): Uint8Array {
  const members = new Uint8Array(samples)
  const order = permutation(samples, stream(seed, 'shadow', 'half', Math.floor(index / 2)))
  const middle = Math.floor(samples / 2)
  for (const i of index % 2 === 0 ? order.subarray(0, middle) : order.subarray(middle)) members[i] = 1
  return members
}

/** The pool of the samples at these indices, in this order. */
export function poolAt(shadows: Shadows, indices: Int32Array): Pool {
  const { models } = shadows
  const samples = indices.length
  const values = new Float64Array(models * samples)
  const members = new Uint8Array(models * samples)
  for (let m = 0; m < models; m++)
    for (let i = 0; i < samples; i++) {
      const from = m * shadows.samples + (indices[i] ?? -1)
      values[m * samples + i] = shadows.values[from] ?? NaN
      members[m * samples + i] = shadows.members[from] ?? NaN
    }
  return { values, members, models, samples }
}
