import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs'
import { adaptableLayers, type AdaptableLayer, type Layer } from '../../experiment/models/layers.ts'
import { labelsAt } from '../../learning/data/device-data.ts'
import { inBatches } from '../../learning/model/features.ts'
import { forward } from '../../learning/model/forward.ts'
import { parameterSpecs, unpackArrays, type NamedTensors } from '../../learning/model/parameters.ts'
import { parametersOf } from '../../learning/model/predict.ts'
import { sample, stream } from '../../learning/random.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import { pooled } from '../probes/features.ts'
import type { Method, UnlearnContext } from '../method.ts'
import { removeDirections, specificDirections } from './damp/directions.ts'
import { separability } from './damp/separability.ts'
import { batchesOf, sumsOf, withoutSnapshots } from './shared/gradients.ts'

/**
 * DAMP, depth-aware modulation by projection (Hatami et al. 2026, arXiv 2604.15166). The weights W
 * of a layer lose their sensitivity to what is particular to the forgotten classes in its inputs,
 *
 *     d_f = μ_f − R R⁺ μ_f,   W ← (I − α_l Q Qᵀ) W,   α_l = clip(2 a_l − 1, 0, 1) · l / L
 *
 * μ_f is the mean input of a forgotten class, the columns of R are those of the retained classes,
 * and Q [in, forgotten classes] is an orthonormal basis of all d_f. a_l is the accuracy on held-out
 * samples of a linear probe that tells D_f from D_r by the inputs of layer l. Biases stay. All
 * means and probes are those of the original model, and there is no training.
 *
 * The equations are those of summaries of the paper, since neither its full text nor code of its
 * authors was at hand. It counts l over five stages of a model. Here l = 0, …, L counts all linear
 * and convolutional layers in forward order. The first one, whose input is the picture, does not
 * change, and the head is projected by its whole 2 a_L − 1. The following is this implementation's
 * choice. The input of a convolution is its channels at a position: means are over samples and
 * positions, and the projection applies at every place of the kernel. The same holds for tokens. A
 * layer whose retained means span μ_f, such as one with fewer channels than retained classes, does
 * not change. The probe is a ridge classifier of equally many samples of both sets.
 */
export const unlearn: Method<'damp'> = async (method, context) => {
  const { layers, original, retained, forget } = context
  const edited = adaptableLayers(layers).slice(1)
  tf.engine().startScope()
  try {
    const parameters = parametersOf(layers, original)
    const inputsOf = (images: Tensor) => pooledInputs(layers, parameters, images, edited)
    const { means, steps } = await classMeans(context, edited, inputsOf)
    const separable = await separabilities(context, edited, inputsOf, method.probeSamples)

    const trained = original.trained.slice()
    const weights = unpackArrays(parameterSpecs(layers).trained, trained)
    edited.forEach((layer, l) => {
      const { forgotten, others } = means[l] as ClassMeans
      removeDirections(weights[`${layer.name}.weight`]?.values ?? new Float32Array(), layer, {
        directions: specificDirections(forgotten, others),
        share: ((separable[l] ?? 0) * (l + 1)) / edited.length,
      })
    })
    return {
      weights: { trained, statistics: original.statistics },
      metrics: {
        trainable: trained.length,
        steps,
        samplesUsed: { retained: retained.length, forget: forget.length },
        curve: [],
      },
    }
  } finally {
    tf.engine().endScope()
  }
}

/** The inputs of layers by name, [n, in] each, averaged over positions. */
function pooledInputs(
  layers: readonly Layer[],
  parameters: NamedTensors,
  images: Tensor,
  of: readonly AdaptableLayer[],
): Readonly<Record<string, Tensor2D>> {
  const { inputs } = forward(layers, parameters, images, { inputsOf: new Set(of.map(({ name }) => name)) })
  return Object.fromEntries(of.map(({ name }) => [name, pooled(inputs[name] as Tensor)]))
}

interface ClassMeans {
  readonly forgotten: readonly Float64Array[]
  readonly others: readonly Float64Array[]
}

/** The mean inputs of the layers for every class, in one pass over D_r and D_f. */
async function classMeans(
  { data, retained, forget, host }: UnlearnContext,
  edited: readonly AdaptableLayer[],
  inputsOf: (images: Tensor) => Readonly<Record<string, Tensor2D>>,
): Promise<{ readonly means: readonly ClassMeans[]; readonly steps: number }> {
  const { classes } = data
  const widths = edited.map((layer) => layer.in)
  const term = (batch: Int32Array) => {
    const inputs = inputsOf(data.images(batch))
    const ofClasses = tf.oneHot(data.labelsOf(batch), classes).toFloat() as Tensor2D
    const sums = edited.map(({ name }) => tf.matMul(ofClasses, inputs[name] as Tensor2D, true))
    return tf.concat1d(sums.map((sum) => sum.reshape<Tensor1D>([-1])))
  }
  const batches = batchesOf(Int32Array.from([...retained, ...forget]), BATCH)
  const size = classes * widths.reduce((total, width) => total + width, 0)
  const [sum] = await sumsOf([{ batches, term }], size, { data, host })
  const sums = (await (sum as Tensor1D).data()) as Float32Array

  const counts = (indices: Int32Array) => {
    const count = new Int32Array(classes)
    for (const label of labelsAt(data.labels, indices)) count[label] = (count[label] ?? 0) + 1
    return count
  }
  const [ofForget, ofRetained] = [counts(forget), counts(retained)]
  let offset = 0
  const means = widths.map((width) => {
    const from = offset
    offset += classes * width
    const of = (count: Int32Array) =>
      [...count.keys()]
        .filter((c) => (count[c] ?? 0) > 0)
        .map((c) => {
          const own = sums.subarray(from + c * width, from + (c + 1) * width)
          return Float64Array.from(own, (value) => value / (count[c] ?? 1))
        })
    return { forgotten: of(ofForget), others: of(ofRetained) }
  })
  return { means, steps: batches.length }
}

/** Pictures in a forward pass. */
const BATCH = 128

/** clip(2 a_l − 1, 0, 1) of every layer, from as many samples of D_f as of D_r. */
async function separabilities(
  { data, retained, forget, seed, host }: UnlearnContext,
  edited: readonly AdaptableLayer[],
  inputsOf: (images: Tensor) => Readonly<Record<string, Tensor2D>>,
  most: number,
): Promise<readonly number[]> {
  const count = Math.min(most, forget.length, retained.length)
  const inputs = async (indices: Int32Array, purpose: string) => {
    const drawn = sample(indices, count, stream(seed, 'damp', purpose))
    return await inBatches(data, drawn, inputsOf, withoutSnapshots(host))
  }
  const [ofForget, ofRetained] = [await inputs(forget, 'forget'), await inputs(retained, 'retained')]
  const result: number[] = []
  for (const { name } of edited)
    result.push(await separability(ofForget[name] as Tensor2D, ofRetained[name] as Tensor2D))
  return result
}
