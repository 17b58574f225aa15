import type { Scalar, Tensor2D } from '@tensorflow/tfjs'
import type { Measured } from '../../experiment/records/measured.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import { areFinite, moments } from './moments.ts'

/**
 * Linear centred kernel alignment of two models' features [n, p] and [n, q] for the same n samples
 * (Kornblith et al. 2019):
 *
 *     CKA(X, Y) = ‖Yᵀ X‖_F² / (‖Xᵀ X‖_F ‖Yᵀ Y‖_F),   X and Y centred
 *
 * The value is in [0, 1] and invariant to rotation and isotropic scaling; 1 means equal up to
 * these. Missing for constant features, for which it is 0/0. With few samples any two models look
 * alike: n should be well above p and q.
 */
export async function linearCka(x: Tensor2D, y: Tensor2D): Promise<Measured> {
  if (x.shape[0] !== y.shape[0])
    throw new RangeError(`CKA compares the same samples, and there are ${x.shape[0]} and ${y.shape[0]}`)
  if (x.shape[0] === 0) return { missing: 'the set is empty' }
  if (!(await areFinite(x))) return { missing: 'the features are not finite' }
  if (!(await areFinite(y))) return { missing: 'gold: the features are not finite' }
  const figures = tf.tidy(() => {
    const [a, b] = [unit(x), unit(y)]
    const squared = (left: Tensor2D, right: Tensor2D) =>
      tf.matMul(left, right, true).square().sum().asScalar()
    return tf.stack<Scalar>([
      a.energy,
      b.energy,
      squared(b.value, a.value),
      squared(a.value, a.value),
      squared(b.value, b.value),
    ])
  })
  const [energyX = NaN, energyY = NaN, cross = NaN, own = NaN, golds = NaN] = await figures.data()
  figures.dispose()
  if (energyX === 0) return { missing: 'the features are constant' }
  if (energyY === 0) return { missing: 'gold: the features are constant' }
  // Rounding may exceed the bound.
  return { value: Math.min(1, cross / Math.sqrt(own * golds)) }
}

/**
 * Centred features, scaled to a sum of squares of 1, and an energy that is 0 for constant features.
 */
export function unit(x: Tensor2D): { value: Tensor2D; energy: Scalar } {
  const { mean, deviation } = moments(x)
  // A constant feature becomes exactly 0 instead of a rounding error.
  const centred = x.sub(mean).mul<Tensor2D>(deviation.greater(0).toFloat())
  const greatest = centred.abs().max<Scalar>()
  // Divided by the greatest value first, because squares of large features would overflow.
  const scaled = tf.divNoNan<Tensor2D>(centred, greatest)
  return { value: tf.divNoNan<Tensor2D>(scaled, scaled.square().sum().sqrt()), energy: greatest }
}
