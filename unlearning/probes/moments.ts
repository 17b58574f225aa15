import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs'
import { tf } from '../../learning/tensorflow/tf.ts'

/** The deviation of a constant in float32, relative to the constant, is below this. */
const LEAST_DEVIATION = 3e-6

export interface Moments {
  /** [d]. */
  readonly mean: Tensor1D
  /** [d]. 0 if it may be rounding. */
  readonly deviation: Tensor1D
}

/**
 * The mean and the population standard deviation of features [n, d], with sample weights [n] (1 by
 * default).
 */
export function moments(x: Tensor2D, weights?: Tensor1D): Moments {
  return tf.tidy(() => {
    const [n] = x.shape
    const share = (weights ?? tf.ones<Tensor1D['rankType']>([n])).div<Tensor1D>(weights ? weights.sum() : n)
    const column = share.expandDims<Tensor2D>(1)
    const mean = x.mul(column).sum<Tensor1D>(0)
    const variance = x.sub(mean).square().mul(column).sum<Tensor1D>(0)
    const least = mean.square().mul(LEAST_DEVIATION ** 2)
    return { mean, deviation: tf.where(variance.greater(least), variance.sqrt(), tf.zerosLike(variance)) }
  })
}

/** Whether all values are finite. */
export async function areFinite(x: Tensor2D): Promise<boolean> {
  const finite = tf.tidy(() => tf.isFinite(x).all())
  const [answer = 0] = await finite.data()
  finite.dispose()
  return answer === 1
}
