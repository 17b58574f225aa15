import type { Scalar, Tensor, Tensor4D } from '@tensorflow/tfjs'
import type { Layer } from '../../experiment/models/layers.ts'
import { labelsAt, type DeviceData } from '../../learning/data/device-data.ts'
import type { Host } from '../../learning/training/host.ts'
import { crossEntropy } from '../../learning/training/losses.ts'
import { forward } from '../../learning/model/forward.ts'
import type { NamedTensors } from '../../learning/model/parameters.ts'
import { parametersOf } from '../../learning/model/predict.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import { trainOn } from './shared/train-epochs.ts'
import type { Method } from '../method.ts'

/**
 * Boundary shrink (Chen et al. 2023). Each sample of the forget set is assigned to the class behind
 * its nearest decision boundary:
 *
 *     min  E_{D_f} CE(θ; x, y′),
 *     y′ = argmax_{k ≠ y} θ_o(x′)_k,    x′ = x + ε sign ∇_x CE(θ_o; x, y)
 *
 * x′ is computed once from the original model and the image without augmentation, and clipped to
 * the range of a pixel. The paper uses the class of x′ even where the step has not crossed a
 * boundary and the class is still y, which would be learnt again. Here y is excluded. The method
 * never reads D_r. Defaults as in the paper: ε = 0.1 of a pixel's range, ten epochs of SGD at 1e-5.
 */
export const unlearn: Method<'boundary-shrink'> = async (method, context) => {
  const { layers, original, data, forget, host } = context
  const labels = data.labels.slice()
  const teacher = parametersOf(layers, original)
  try {
    const nearest = await nearestClasses(layers, teacher, data, forget, method.epsilon, host)
    forget.forEach((sample, i) => (labels[sample] = nearest[i] ?? 0))
  } finally {
    tf.dispose(teacher)
  }
  return trainOn(method, context, { indices: forget, labelsOf: (batch) => labelsAt(labels, batch) })
}

/**
 * y′ of each sample: the class with the greatest logit at x′ except the true one, in inference
 * mode.
 */
export async function nearestClasses(
  layers: readonly Layer[],
  parameters: NamedTensors,
  data: DeviceData,
  indices: Int32Array,
  epsilon: number,
  host?: Host,
): Promise<Int32Array> {
  const nearest = new Int32Array(indices.length)
  for (let first = 0; first < indices.length; first += 256) {
    const batch = indices.subarray(first, first + 256)
    const found = tf.tidy(() => {
      const labels = data.labelsOf(batch)
      const logits = (images: Tensor) => forward(layers, parameters, images).output
      const error = (images: Tensor): Scalar => crossEntropy(logits(images), labels)
      const x = data.images(batch)
      data.prefetch(indices.subarray(first + 256, first + 512))
      const moved = data.shifted(
        x,
        tf
          .grad(error)(x)
          .sign()
          .mul<Tensor4D>(255 * epsilon),
      )
      const isTrue = tf.oneHot(labels, data.classes).cast('bool')
      return tf.where(isTrue, -Infinity, logits(moved)).argMax(1)
    })
    nearest.set(await found.data(), first)
    found.dispose()
    await host?.step({})
  }
  return nearest
}
