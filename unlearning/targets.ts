import type { Tensor, Tensor1D } from '@tensorflow/tfjs'
import { MathError } from '../experiment/errors.ts'
import type { TargetName } from '../experiment/methods.ts'
import type { NamedTensors } from '../learning/parameters.ts'
import type { RandomStream } from '../learning/random.ts'
import { tf } from '../learning/tf.ts'

/** What the frozen model says of the samples used: the material that targets are made of. */
export interface Teacher {
  /** f_l of the retained samples by layer, each [n_r, ...]. */
  readonly features: NamedTensors
  readonly retainedLabels: Int32Array
  readonly forgetLabels: Int32Array
  /** Logits of the forget samples, [n_f, classes] row-major. */
  readonly forgetLogits: Float32Array
  readonly classes: number
}

/** t_l for a batch of forget samples (positions in D_f), of a shape that broadcasts against h_l. */
export type Target = (layer: string, positions: Tensor1D) => Tensor

/** Targets by name. Each may compute once what its batches share; what it keeps lives until the enclosing dispose. */
export const targets: Readonly<Record<TargetName, (teacher: Teacher, random: RandomStream) => Target>> = {
  /** The mean of f_l over D_r: every forgotten sample looks like the average one. */
  'retained-mean': ({ features }) => {
    const means = mapTensors(features, (feature) => feature.mean(0, true))
    return (layer) => at(means, layer)
  },

  /** f_l of a retained sample, drawn once for each forget sample. */
  'random-retained': ({ features, retainedLabels, forgetLabels }, random) => {
    const partners = tf.tensor1d(
      forgetLabels.map(() => random.integer(retainedLabels.length)),
      'int32',
    )
    return (layer, positions) => tf.gather(at(features, layer), tf.gather(partners, positions))
  },

  /** The centroid of f_l over the retained samples of the class that the teacher ranks next best for x. */
  'nearest-centroid': ({ features, retainedLabels, forgetLabels, forgetLogits, classes }) => {
    const present = new Set(retainedLabels)
    const next = forgetLabels.map((label, i) => {
      const logits = forgetLogits.subarray(i * classes, (i + 1) * classes)
      const others = [...present].filter((candidate) => candidate !== label)
      if (others.length === 0) {
        throw new MathError(
          'the target nearest-centroid needs a retained class besides the forgotten one: the retained samples drawn have none',
        )
      }
      return others.reduce((best, candidate) =>
        (logits[candidate] ?? 0) > (logits[best] ?? 0) ? candidate : best,
      )
    })
    const nextBest = tf.tensor1d(next, 'int32')
    // centroids [classes, ...] = (one-hot / count)ᵀ · features
    const centroids = mapTensors(features, (feature) => {
      const [n = 0, ...shape] = feature.shape
      const member = tf.oneHot(tf.tensor1d(retainedLabels, 'int32'), classes).toFloat()
      const share = member.div(member.sum(0).maximum(1))
      return tf.matMul(share, feature.reshape([n, -1]), true).reshape([classes, ...shape])
    })
    return (layer, positions) => tf.gather(at(centroids, layer), tf.gather(nextBest, positions))
  },
}

function mapTensors(tensors: NamedTensors, transform: (tensor: Tensor) => Tensor): NamedTensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, tf.tidy(() => transform(tensor))]),
  )
}

function at(tensors: NamedTensors, layer: string): Tensor {
  const tensor = tensors[layer]
  if (!tensor) throw new Error(`no features were kept of layer "${layer}"`)
  return tensor
}
