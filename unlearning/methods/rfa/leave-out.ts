import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs'
import { LEAVE_OUT_STEPS } from '../../../experiment/spec/rfa-refit.ts'
import type { Host } from '../../../learning/training/host.ts'
import { crossEntropy } from '../../../learning/training/losses.ts'
import type { NamedTensors } from '../../../learning/model/parameters.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import { train } from '../../../learning/training/train.ts'
import { centroidsOf, type Target } from './targets.ts'

const optimizer = { name: 'adam', learningRate: 0.02, beta1: 0.9, beta2: 0.999, weightDecay: 0 } as const

export interface LeaveOut {
  /** The wanted logits of D_r, [n_r, classes]. They replace the original's. */
  readonly logits: Tensor
  readonly target: Target
}

/**
 * The target `leave-out`: the features under a head that never saw D_f. The head is refit on the
 * frozen inputs of the last layer for D_r alone. If a whole class is forgotten, no evidence for
 * that class remains. Then
 *
 *     the wanted logits of x in D_r and in D_f are those of the refit head;
 *     other wanted features of x in D_f are Σ_c p_c(x) μ_{l,c}
 *
 * with p the softmax of the refit head and μ_{l,c} the mean of f_l over class c in D_r. Without
 * this change on D_r, each retained sample would keep its logit for a forgotten class, unlike in a
 * retrained model. features: f_l of D_r by layer; penultimate: the inputs of the last layer, [n,
 * d].
 */
export async function leaveOut(
  retained: { readonly penultimate: Tensor2D; readonly labels: Int32Array; readonly features: NamedTensors },
  forget: { readonly penultimate: Tensor2D },
  head: { readonly name: string; readonly weight: Tensor2D; readonly bias: Tensor1D },
  host?: Host,
): Promise<LeaveOut> {
  const { weight, bias } = await refit(retained, head, host)
  const [logits, ofForget, shares] = tf.tidy<[Tensor2D, Tensor2D, Tensor2D]>(() => {
    const logits = (x: Tensor2D) => x.matMul<Tensor2D>(weight).add<Tensor2D>(bias)
    const ofForget = logits(forget.penultimate)
    return [logits(retained.penultimate), ofForget, tf.softmax(ofForget)]
  })
  tf.dispose([weight, bias])
  const { [head.name]: _, ...inner } = retained.features
  const centroids = centroidsOf(inner, retained.labels, head.bias.size)
  return {
    logits,
    target(layer, positions) {
      const mean = centroids[layer]
      if (!mean) return tf.gather(ofForget, positions)
      const mixed = tf.matMul(tf.gather(shares, positions), mean.reshape<Tensor2D>([head.bias.size, -1]))
      return mixed.reshape([positions.size, ...mean.shape.slice(1)])
    },
  }
}

/**
 * Multinomial logistic regression, starting at the original head. The original's knowledge of a
 * class without a retained sample comes from D_f alone, so that class starts at zero.
 */
async function refit(
  { penultimate, labels }: { readonly penultimate: Tensor2D; readonly labels: Int32Array },
  { weight, bias }: { readonly weight: Tensor2D; readonly bias: Tensor1D },
  host?: Host,
): Promise<{ readonly weight: Tensor2D; readonly bias: Tensor1D }> {
  const classes = bias.size
  const present = new Set(labels)
  const original = tf.tidy(() => tf.concat([weight.flatten(), bias]))
  const rows = await original.data()
  original.dispose()
  const truth = tf.tensor1d(labels, 'int32')
  const cut = (flat: Tensor1D) => ({
    weight: flat.slice([0], [weight.size]).reshape<Tensor2D>(weight.shape),
    bias: flat.slice([weight.size], [classes]),
  })
  try {
    const { parameters } = await train({
      initial: Float32Array.from(rows, (value, i) => (present.has(i % classes) ? value : 0)),
      steps: LEAVE_OUT_STEPS,
      optimizer,
      schedule: { name: 'cosine' },
      loss: (flat) => {
        const head = cut(flat)
        return crossEntropy(penultimate.matMul(head.weight).add(head.bias), truth)
      },
      host: { step: async () => host?.step({}) },
    })
    return tf.tidy(() => cut(tf.tensor1d(parameters)))
  } finally {
    truth.dispose()
  }
}
