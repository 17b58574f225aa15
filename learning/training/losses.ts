import type { Scalar, Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs'
import { tf } from '../tensorflow/tf.ts'

/**
 * Mean cross-entropy in nats. logits [n, classes], labels int32 [n]. Label smoothing as in Szegedy
 * et al. (2016).
 */
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

/**
 * Mean KL(teacher ‖ student) in nats between the softmaxes of logits [n, classes] divided by a
 * temperature (Hinton et al. 2015). Differentiable in the student's logits.
 */
export function klDivergence(teacher: Tensor, student: Tensor, temperature = 1): Scalar {
  const p = tf.logSoftmax(teacher.div<Tensor2D>(temperature))
  const q = tf.logSoftmax(student.div<Tensor2D>(temperature))
  return p.exp().mul(p.sub(q)).sum(1).mean().asScalar()
}

/**
 * ‖h − wanted‖², the sum over all elements of h [n, ...]. `wanted` has the shape of h or broadcasts
 * to it. Differentiable in h. The gradient 2(h − wanted) is written out, because tfjs would compute
 * it in three passes over the features.
 */
export function squaredDistance(h: Tensor, wanted: Tensor): Scalar {
  const measure = tf.customGrad((...args: unknown[]) => {
    const [features, save] = args as [Tensor, (tensors: Tensor[]) => void]
    const difference = features.sub(wanted)
    save([difference])
    const gradFunc = (dy: Tensor, saved: Tensor[]) => (saved[0] as Tensor).mul(dy.mul(2))
    return { value: difference.square().sum(), gradFunc }
  })
  return measure(h).asScalar()
}
