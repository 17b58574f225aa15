import type { Tensor, Tensor1D } from '@tensorflow/tfjs'
import { tf } from '../tensorflow/tf.ts'

/**
 * Operations of transformers with explicit gradients, so that a step takes few operations and keeps
 * few tensors. tfjs would differentiate compositions of about a dozen operations each. `composed`
 * exports these compositions for tests and benchmarks.
 */

type Save = (tensors: Tensor[]) => void

/** Layer normalisation over the last axis (Ba et al. 2016). x [..., c], gamma and beta [c]. */
export function layerNorm(x: Tensor, gamma: Tensor1D, beta: Tensor1D, epsilon: number): Tensor {
  const normalise = tf.customGrad((...args: unknown[]) => {
    const [input, scale, shift, save] = args as [Tensor, Tensor1D, Tensor1D, Save]
    const centred = input.sub(input.mean(-1, true))
    const inverse = centred.square().mean(-1, true).add(epsilon).rsqrt()
    const normal = centred.mul(inverse)
    save([normal, inverse, scale])
    const gradFunc = (dy: Tensor, saved: Tensor[]) => {
      const [h, inv, g] = saved as [Tensor, Tensor, Tensor1D]
      const dh = dy.mul(g)
      const along = dh.mul(h).mean(-1, true)
      const dx = dh.sub(dh.mean(-1, true)).sub(h.mul(along)).mul(inv)
      const rows = [-1, g.size]
      return [dx, dy.mul(h).reshape(rows).sum(0), dy.reshape(rows).sum(0)]
    }
    return { value: normal.mul(scale).add(shift), gradFunc }
  })
  return normalise(x, gamma, beta)
}

/** The activation x·Φ(x) (Hendrycks & Gimpel 2016). */
export function gelu(x: Tensor): Tensor {
  const activate = tf.customGrad((...args: unknown[]) => {
    const [input, save] = args as [Tensor, Save]
    const phi = input.mul(Math.SQRT1_2).erf().add(1).mul(0.5)
    save([input, phi])
    const gradFunc = (dy: Tensor, saved: Tensor[]) => {
      const [at, cumulative] = saved as [Tensor, Tensor]
      const density = at
        .square()
        .mul(-0.5)
        .exp()
        .mul(1 / Math.sqrt(2 * Math.PI))
      return dy.mul(cumulative.add(at.mul(density)))
    }
    return { value: input.mul(phi), gradFunc }
  })
  return activate(x)
}

const SLOPE = Math.sqrt(2 / Math.PI)
const CUBIC = 0.044715

/** The tanh approximation of GELU: ½x(1 + tanh(√(2/π)(x + 0.044715x³))). */
export function geluTanh(x: Tensor): Tensor {
  const activate = tf.customGrad((...args: unknown[]) => {
    const [input, save] = args as [Tensor, Save]
    const t = input.square().mul(CUBIC).add(1).mul(input).mul(SLOPE).tanh()
    save([input, t])
    const gradFunc = (dy: Tensor, saved: Tensor[]) => {
      const [at, tanh] = saved as [Tensor, Tensor]
      const inner = at
        .square()
        .mul(3 * CUBIC)
        .add(1)
        .mul(SLOPE)
      const slope = tanh.square().neg().add(1).mul(inner).mul(at)
      return dy.mul(slope.add(tanh).add(1).mul(0.5))
    }
    return { value: input.mul(t.add(1).mul(0.5)), gradFunc }
  })
  return activate(x)
}

/**
 * Multi-head attention softmax(q·kᵀ/√d)·v. q, k, v and the result are [n, t, c] with the heads side
 * by side in c. Of the t×t matrices, the gradient keeps only the probabilities.
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, heads: number): Tensor {
  const [n = 0, t = 0, c = 0] = q.shape
  const apart = (x: Tensor) => x.reshape([n, t, heads, c / heads]).transpose([0, 2, 1, 3])
  const together = (x: Tensor) => x.transpose([0, 2, 1, 3]).reshape([n, t, c])
  return together(headAttention(apart(q.mul(Math.sqrt(heads / c))), apart(k), apart(v)))
}

/** Computes softmax(q·kᵀ)·v for q, k, v [n, heads, t, d]. */
function headAttention(q: Tensor, k: Tensor, v: Tensor): Tensor {
  const attend = tf.customGrad((...args: unknown[]) => {
    const [query, key, value, save] = args as [Tensor, Tensor, Tensor, Save]
    const p = tf.matMul(query, key, false, true).softmax()
    const y = tf.matMul(p, value)
    save([query, key, value, p, y])
    const gradFunc = (dy: Tensor, saved: Tensor[]) => {
      const [sq, sk, sv, sp, sy] = saved as [Tensor, Tensor, Tensor, Tensor, Tensor]
      // The row sums of dp·p without the t×t product (Dao et al. 2022, equation 4).
      const mean = dy.mul(sy).sum(-1, true)
      const ds = tf.matMul(dy, sv, false, true).sub(mean).mul(sp)
      return [tf.matMul(ds, sk), tf.matMul(ds, sq, true), tf.matMul(sp, dy, true)]
    }
    return { value: y, gradFunc }
  })
  return attend(q, k, v)
}

export const composed = {
  layerNorm(x: Tensor, gamma: Tensor1D, beta: Tensor1D, epsilon: number): Tensor {
    const { mean, variance } = tf.moments(x, -1, true)
    return x.sub(mean).div(variance.add(epsilon).sqrt()).mul(gamma).add(beta)
  },
  gelu: (x: Tensor): Tensor => x.mul(x.div(Math.SQRT2).erf().add(1)).mul(0.5),
  geluTanh: (x: Tensor): Tensor => x.mul(x.add(x.pow(3).mul(CUBIC)).mul(SLOPE).tanh().add(1)).mul(0.5),
  attention(q: Tensor, k: Tensor, v: Tensor, heads: number): Tensor {
    const [n = 0, t = 0, c = 0] = q.shape
    const apart = (x: Tensor) => x.reshape([n, t, heads, c / heads]).transpose([0, 2, 1, 3])
    const scores = tf.matMul(apart(q), apart(k), false, true).div(Math.sqrt(c / heads))
    return tf.matMul(scores.softmax(), apart(v)).transpose([0, 2, 1, 3]).reshape([n, t, c])
  },
}
