import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs'
import { tf } from '../../learning/tensorflow/tf.ts'

/** What float32 makes of a constant's deviation, relative to the constant, is below this. */
const LEAST_DEVIATION = 3e-6

export interface Moments {
  /** [d]. */
  readonly mean: Tensor1D
  /** [d]; 0 where what there is of it may be rounding. */
  readonly deviation: Tensor1D
}

/** Mean and standard deviation (of the population) of features [n, d], over samples that have these weights [n] and 1 unless given. */
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

/** Whether every value can be computed with. */
export async function areFinite(x: Tensor2D): Promise<boolean> {
  const finite = tf.tidy(() => tf.isFinite(x).all())
  const [answer = 0] = await finite.data()
  finite.dispose()
  return answer === 1
}
