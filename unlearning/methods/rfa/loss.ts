import type { Scalar, Tensor } from '@tensorflow/tfjs'
import { matchesAny } from '../../../experiment/models/layers.ts'
import type { MethodSpecOf } from '../../../experiment/spec/methods.ts'
import type { NamedTensors } from '../../../learning/model/parameters.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import { klDivergence, squaredDistance } from '../../../learning/training/losses.ts'

/** The two parts of the loss, summed over the aligned layers. */
export interface LossParts {
  readonly onRetained: Scalar
  readonly onForget: Scalar
}

/** The mean over samples of the distance of features h [n, ...] to the wanted ones, times w_l. */
export type Distance = (layer: string, h: Tensor, wanted: Tensor) => Scalar

/**
 * The distance of each layer: w_l ‖h − wanted‖², or KL(softmax wanted ‖ softmax h) in nats at the
 * layer `logits` with `distance: kl`. `weights` multiply it by patterns of layer names.
 * inverseNorm: w_l by layer.
 */
export function distances(
  { distance, weights = {} }: Pick<MethodSpecOf<'rfa'>, 'distance' | 'weights'>,
  logits: string,
  inverseNorm: Readonly<Record<string, number>>,
): Distance {
  const factor = (name: string) =>
    Object.entries(weights).find(([pattern]) => matchesAny([pattern])({ name }))?.[1] ?? 1
  return (layer, h, wanted) =>
    distance === 'kl' && layer === logits
      ? klDivergence(wanted, h).mul(factor(layer))
      : squaredDistance(h, wanted)
          .div<Scalar>(h.shape[0] ?? 1)
          .mul((inverseNorm[layer] ?? NaN) * factor(layer))
}

/** w_l = 1 / E ‖f_l‖² of each layer's features [n, ...]. */
export async function inverseNorms(features: NamedTensors): Promise<Readonly<Record<string, number>>> {
  const norms = Object.entries(features).map(async ([name, feature]) => {
    const norm = tf.tidy(() =>
      feature
        .square()
        .sum()
        .div(feature.shape[0] ?? 1),
    )
    const [value = NaN] = await norm.data()
    return [name, 1 / value] as const
  })
  return Object.fromEntries(await Promise.all(norms))
}

/**
 * The two parts of the loss. features: h_l [n_r + n_f, ...] by layer, retained samples first.
 * teacher gives f_l of the retained samples [n_r, ...], target t_l of the others [n_f, ...].
 */
export function alignment(
  features: NamedTensors,
  aligned: readonly string[],
  distance: Distance,
  sizes: readonly [retained: number, forget: number],
  { teacher, target }: { teacher: (layer: string) => Tensor; target: (layer: string) => Tensor },
): LossParts {
  const terms = aligned.map((name) => {
    const [hRetained, hForget] = tf.split(features[name] as Tensor, [...sizes]) as [Tensor, Tensor]
    return [distance(name, hRetained, teacher(name)), distance(name, hForget, target(name))] as const
  })
  return {
    onRetained: tf.addN(terms.map(([term]) => term)),
    onForget: tf.addN(terms.map(([, term]) => term)),
  }
}
