import type { Scalar, Tensor, Tensor4D } from '@tensorflow/tfjs'
import { augmentation, Batches, stepsOf } from '../../learning/data/batches.ts'
import { labelsAt } from '../../learning/data/device-data.ts'
import { Compiled } from '../../learning/graph/compiled.ts'
import { forward } from '../../learning/model/forward.ts'
import { parametersOf } from '../../learning/model/predict.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import { crossEntropy } from '../../learning/training/losses.ts'
import type { Method, UnlearnContext } from '../method.ts'
import { batchesOf } from './shared/gradients.ts'
import { trainStudent } from './shared/train-student.ts'

/** ε is doubled at most so often: from 0.04 to 20 of a pixel's range, which is any image. */
const MOST_DOUBLINGS = 9

/**
 * Adversarial machine unlearning (AMUN, Ebrahimpour-Boroojeny et al. 2025, arXiv 2503.00917). Each
 * x of the forget set gets a near adversarial example, and the model is fine-tuned on its wrong
 * class:
 *
 *     min  E_{D_r ∪ D_A} CE(θ; x, y),    D_A = { (x + δ, argmax_k θ_o(x + δ)_k) : x in D_f }
 *
 * δ is found at θ_o in inference mode by projected gradient ascent of the loss: steps of length
 * ε / 10 along the gradient, within the ℓ₂ ball of radius ε and the range of a pixel. An image is
 * not moved any more as soon as its class is wrong, so that one which θ_o gets wrong has δ = 0.
 * After every `attackSteps` steps ε doubles for the others, which go on from where they are. If it
 * has been doubled nine times and the class is still right, the next likely class counts.
 * Adversarial images are not augmented. Without access to D_r, `base: forget` takes D_f in its
 * place. Defaults as published: 50 steps, ε = 0.04 of a pixel's range, 10 epochs of SGD at 0.01.
 */
export const unlearn: Method<'amun'> = async (method, context) => {
  const { data, forget, training, seed } = context
  const base = context[method.base]
  const all = Int32Array.from([...base, ...forget])
  const found = await adversarials(context, method)
  const labels = Int32Array.from([...labelsAt(data.labels, base), ...found.labels])
  const batches = new Batches(all, method.batchSize ?? training.batchSize, seed, 'amun')
  const sampled = { retained: context.retained.length, forget: forget.length }
  try {
    return await trainStudent(context, {
      ...method,
      steps: stepsOf(method.epochs, batches),
      samples: method.base === 'retained' ? sampled : { ...sampled, retained: 0 },
      loss: (student, step) => {
        const positions = batches.positions(step)
        const batch = batches.at(step)
        const augment = augmentation(training, seed, 'amun', step, batch, batches.perEpoch)
        const images = data.images(batch, augment)
        data.prefetch(batches.at(step + 1))
        const rows = positions.map((position) => Math.max(0, position - base.length))
        const isAdversarial = [...positions].map((position) => position >= base.length)
        const mixed = tf.where(
          tf.tensor4d(isAdversarial.map(Number), [rows.length, 1, 1, 1]).cast('bool'),
          tf.gather(found.images, tf.tensor1d(rows, 'int32')),
          images,
        )
        const wanted = tf.tensor1d(
          positions.map((position) => labels[position] ?? -1),
          'int32',
        )
        return crossEntropy(student.logits(mixed), wanted, training.labelSmoothing)
      },
    })
  } finally {
    found.images.dispose()
  }
}

export interface Adversarials {
  /** Normalised images [n, h, w, c] of the forget set's samples, in their order. */
  readonly images: Tensor4D
  /** The class that the original gives to each, never the true one. */
  readonly labels: Int32Array
}

/** The first adversarial example that the search finds for each sample of the forget set. */
export async function adversarials(
  {
    layers,
    original,
    data,
    forget,
    host,
  }: Pick<UnlearnContext, 'layers' | 'original' | 'data' | 'forget' | 'host'>,
  { epsilon, attackSteps }: { readonly epsilon: number; readonly attackSteps: number },
): Promise<Adversarials> {
  const parameters = parametersOf(layers, original)
  const logitsOf = (x: Tensor) => forward(layers, parameters, x).output
  const parts: Tensor4D[] = []
  const labels: number[] = []
  const batches = batchesOf(forget, 128)
  const graphs = new Compiled(batches.length * attackSteps)
  try {
    for (const batch of batches) {
      const x = data.images(batch)
      const truth = data.labelsOf(batch)
      const isRight = (logits: Tensor) => logits.argMax(1).equal(truth)
      const areLeft = async (images: Tensor4D) => {
        const left = tf.tidy(() => isRight(logitsOf(images)).any())
        const [value] = await left.data()
        left.dispose()
        return value === 1
      }
      let moved = x.clone()
      for (let doubled = 0; doubled <= MOST_DOUBLINGS && (await areLeft(moved)); doubled++) {
        const radius = 255 * epsilon * 2 ** doubled
        for (let step = 0; step < attackSteps; step++) {
          const before = moved
          moved = graphs.run(() =>
            tf.tidy(() => {
              // The gradient's own forward pass says which classes are right.
              const right: Tensor[] = []
              const error = (images: Tensor): Scalar => {
                const logits = logitsOf(images)
                right.push(tf.keep(isRight(logits).reshape([-1, 1, 1, 1])))
                return crossEntropy(logits, truth)
              }
              const stepped = data.shifted(before, withNorm(tf.grad(error)(before), radius / 10))
              const projected = data.shifted(x, withinNorm(data.difference(stepped, x), radius))
              const next = tf.where(right[0] as Tensor, projected, before)
              tf.dispose(right)
              return next
            }),
          )
          before.dispose()
          await host?.step({})
        }
      }
      const wanted = tf.tidy(() => {
        const isTrue = tf.oneHot(truth, data.classes).cast('bool')
        return tf.where(isTrue, -Infinity, logitsOf(moved)).argMax(1)
      })
      labels.push(...(await wanted.data()))
      parts.push(moved)
      tf.dispose([x, truth, wanted])
    }
    return { images: tf.concat(parts), labels: Int32Array.from(labels) }
  } finally {
    graphs.dispose()
    tf.dispose([parts, parameters])
  }
}

/** The ℓ₂ norm of each image [n, 1, 1, 1]. */
const norms = (images: Tensor) => images.square().sum([1, 2, 3], true).sqrt()

/** Images [n, h, w, c] scaled to a norm each. An image of zeros stays as it is. */
function withNorm(images: Tensor, norm: number): Tensor4D {
  return tf.divNoNan(images, norms(images)).mul(norm)
}

/** Images [n, h, w, c], those of a greater norm shortened to it. */
function withinNorm(images: Tensor, norm: number): Tensor4D {
  return images.mul(tf.minimum(1, tf.divNoNan(tf.scalar(norm), norms(images))))
}
