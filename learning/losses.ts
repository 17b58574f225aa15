import type { Scalar, Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs'
import { tf } from './tf.ts'

/** Mean cross-entropy in nats. logits [n, classes], labels int32 [n]; smoothing as in Szegedy et al. 2016. */
export function crossEntropy(logits: Tensor, labels: Tensor1D, smoothing = 0): Scalar {
  const classes = logits.shape[1] ?? 0
  const hard = tf.oneHot(labels, classes).toFloat()
  const targets = smoothing > 0 ? hard.mul(1 - smoothing).add(smoothing / classes) : hard
  return tf
    .logSoftmax(logits as Tensor2D)
    .mul(targets)
    .sum(1)
    .mean()
    .neg()
    .asScalar()
}
