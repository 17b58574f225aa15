import type { Tensor1D } from '@tensorflow/tfjs'
import { parametersOf } from '../../learning/model/predict.ts'
import { sample, stream } from '../../learning/random.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import { fisherInformation } from './fisher/squared-gradients.ts'
import { batchesOf, sumsOf } from './shared/gradients.ts'
import type { Method } from '../method.ts'

/**
 * Fisher forgetting (Golatkar et al. 2020). It adds noise in the directions to which the loss on
 * D_r is insensitive, where information about D_f could remain:
 *
 *     θ ← θ + n,   n_i ~ N(0, α · min(F_i^−p, c)),
 *     F = E_{x in D_r} Σ_y p_θ(y|x) (∇_θ log p_θ(y|x))²
 *
 * F is the diagonal of the Fisher information. The paper derives p = 1/2 and α = √(λσ²). Its code
 * has p = 1, α = 1e−6 and c = 1e3, which are the defaults, as in other publications. The code also
 * has factors per layer, averages over input channels and removes a forgotten class's output. None
 * of these is in the paper, and none is done here.
 *
 * F takes one backward pass per class. For ten classes, a sample takes as much computing time as 10
 * to 20 samples of training. `samples` limits it. The squared gradients are exactly those of single
 * samples, in batches of any size.
 */
export const unlearn: Method<'fisher'> = async (method, context) => {
  const { layers, original, data, seed, host } = context
  const size = original.trained.length
  const retained = sample(
    context.retained,
    method.samples ?? context.retained.length,
    stream(seed, 'fisher', 'retained'),
  )
  tf.engine().startScope()
  try {
    const term = fisherInformation(layers, parametersOf(layers, original), data)
    const batches = batchesOf(retained, method.batchSize)
    const [sum] = await sumsOf([{ batches, term }], size, { data, host })
    const information = (sum as Tensor1D).div<Tensor1D>(retained.length)

    const random = stream(seed, 'fisher', 'noise')
    const normal = tf.tensor1d(Float32Array.from({ length: size }, () => random.normal()))
    const theta = tf.tensor1d(original.trained).add(normal.mul(noiseVariance(information, method).sqrt()))
    return {
      weights: { trained: ((await theta.data()) as Float32Array).slice(), statistics: original.statistics },
      metrics: {
        trainable: size,
        steps: batches.length,
        samplesUsed: { retained: retained.length, forget: 0 },
        curve: [],
      },
    }
  } finally {
    tf.engine().endScope()
  }
}

/** The variance of the noise, α · min(F^−p, c), per parameter. [size]. */
function noiseVariance(
  information: Tensor1D,
  { alpha, power, ceiling }: { readonly alpha: number; readonly power: number; readonly ceiling: number },
): Tensor1D {
  return information.pow(-power).minimum(ceiling).mul(alpha)
}
