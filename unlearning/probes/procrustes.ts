import type { Tensor2D } from '@tensorflow/tfjs'
import type { Measured } from '../../experiment/records/measured.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import { nuclearNorm } from '../linear-algebra/solve.ts'
import { unit } from './linear-cka.ts'
import { areFinite } from './moments.ts'

/** A distance below this is rounding, since features are float32. */
const ROUNDING = 1e-6

/**
 * The orthogonal Procrustes distance of two models' features [n, p] and [n, q] for the same n
 * samples (Schönemann 1966; Ding et al. 2021). X and Y are the features, centred and divided by
 * their Frobenius norms:
 *
 *     d = 1 − ‖Xᵀ Y‖_* = min_Q ½ ‖X − Y Q‖_F²,   Q orthogonal
 *
 * ‖·‖_* is the sum of the singular values; the narrower of X and Y gets columns of zeros. The value
 * is in [0, 1] and does not change with rotations, isotropic scalings and offsets: 0 means equal up
 * to these. A distance of features without the rotation would be large for any two networks that
 * were trained separately. CKA weights directions by their squared variance and may be near 1 where
 * only the largest agree (Ding et al. 2021); this distance weights them by their deviation.
 *
 * Missing for constant features. With few samples any two models look alike.
 */
export async function procrustesDistance(x: Tensor2D, y: Tensor2D): Promise<Measured> {
  if (x.shape[0] !== y.shape[0])
    throw new RangeError(
      `the distance is of features for the same samples, and there are ${x.shape[0]} and ${y.shape[0]}`,
    )
  if (x.shape[0] === 0) return { missing: 'the set is empty' }
  if (!(await areFinite(x))) return { missing: 'the features are not finite' }
  if (!(await areFinite(y))) return { missing: 'gold: the features are not finite' }
  const [product, energies] = tf.tidy(() => {
    const [a, b] = [unit(x), unit(y)]
    return [tf.matMul<Tensor2D>(a.value, b.value, true), tf.stack([a.energy, b.energy])]
  })
  const [values, [energyX = NaN, energyY = NaN]] = [await product.data(), await energies.data()]
  tf.dispose([product, energies])
  if (energyX === 0) return { missing: 'the features are constant' }
  if (energyY === 0) return { missing: 'gold: the features are constant' }
  const norm = await nuclearNorm(product.shape[0], product.shape[1], Float64Array.from(values))
  const distance = Math.min(1, 1 - norm)
  return { value: distance < ROUNDING ? 0 : distance }
}
