import type { Tensor2D } from '@tensorflow/tfjs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { procrustesDistance } from '../../../../unlearning/probes/procrustes.ts'
import { normal } from '../../../support/tensors.ts'
import { expectClose, reference, valueOf } from '../evaluated-models.ts'

interface Matrix {
  readonly values: number[]
  readonly shape: [number, number]
}

const { procrustes: vectors } = reference('judges.json') as {
  procrustes: { name: string; x: Matrix; y: Matrix; distance: number | null }[]
}
const tensor = ({ values, shape }: Matrix) => tf.tensor2d(values, shape)
/** Features are float32; the reference is float64. */
const TOLERANCE = 1e-5

const features = (shape: [number, number], seed: number) => normal(shape, seed) as Tensor2D

describe('the Procrustes distance', () => {
  it.each(vectors)('against the best rotation that SciPy finds: $name', async ({ x, y, distance }) => {
    const before = tf.memory().numTensors
    const [a, b] = [tensor(x), tensor(y)]
    const found = await procrustesDistance(a, b)
    if (distance === null) expect(found).toHaveProperty('missing')
    else expectClose(valueOf(found), distance, TOLERANCE)
    tf.dispose([a, b])
    expect(tf.memory().numTensors).toBe(before)
  })

  it('does not see rotations, isotropic scalings and offsets, nor which of the two is gold', async () => {
    const arbitrary = fc.record({
      n: fc.integer({ min: 4, max: 40 }),
      d: fc.integer({ min: 1, max: 8 }),
      seed: fc.nat(1000),
      scale: fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
      offset: fc.double({ min: -10, max: 10, noNaN: true }),
    })
    await fc.assert(
      fc.asyncProperty(arbitrary, async ({ n, d, seed, scale, offset }) => {
        const [x, y] = [features([n, d], seed), features([n, 5], seed + 1)]
        const [rotation] = tf.linalg.qr(features([d, d], seed + 2)) as [Tensor2D, Tensor2D]
        const moved = tf
          .matMul(x, rotation)
          .mul<Tensor2D>(scale)
          .add<Tensor2D>(offset * scale)
        const figure = valueOf(await procrustesDistance(x, y))
        expect(figure).toBeGreaterThanOrEqual(0)
        expect(figure).toBeLessThanOrEqual(1)
        expectClose(valueOf(await procrustesDistance(moved, y)), figure, 1e-4)
        expectClose(valueOf(await procrustesDistance(y, x)), figure, TOLERANCE)
        expectClose(valueOf(await procrustesDistance(x, moved)), 0, 1e-4)
      }),
      { numRuns: 10 },
    )
  })

  it.each([
    ['constant features', tf.fill([8, 3], 0.1), features([8, 2], 1), 'the features are constant'],
    ['constant features of gold', features([8, 2], 1), tf.zeros([8, 3]), 'gold: the features are constant'],
    ['a single sample', features([1, 3], 1), features([1, 3], 2), 'the features are constant'],
    ['no samples', tf.zeros([0, 0]), tf.zeros([0, 0]), 'the set is empty'],
    ['features that overflowed', tf.fill([8, 3], NaN), features([8, 2], 1), 'the features are not finite'],
    ['those of gold', features([8, 2], 1), tf.fill([8, 3], Infinity), 'gold: the features are not finite'],
  ])('is missing, never 0, for %s', async (_, x, y, missing) => {
    expect(await procrustesDistance(x as Tensor2D, y as Tensor2D)).toEqual({ missing })
  })

  it('refuses to compare different samples', async () => {
    await expect(procrustesDistance(features([3, 2], 1), features([4, 2], 1))).rejects.toThrow(/3 and 4/)
  })
})
