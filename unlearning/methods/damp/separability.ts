import type { Tensor2D } from '@tensorflow/tfjs'
import { MathError } from '../../../common/errors.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import { choleskySolve } from '../../linear-algebra/solve.ts'

/** ε per sample, as that of the report's probes (unlearning/probes/linear-probe.ts). */
const RIDGE = 1e-3

/**
 * max(0, 2a − 1), where a is the share of held-out samples that a ridge classifier assigns to their
 * set by their features. Both sets are [n, d] with the same n. The first half of each, rounded up,
 * trains the classifier, and the rest tests it; 0 if there is no rest.
 *
 * The features are standardised. With y = ±½ and the m training samples as rows of Z [m, d], the
 * decision is the sign of x Zᵀ (Z Zᵀ + ε m I)⁻¹ y. This matrix is small however many features there
 * are.
 */
export async function separability(forget: Tensor2D, retained: Tensor2D): Promise<number> {
  const [n] = forget.shape
  const half = Math.ceil(n / 2)
  if (half === n) return 0
  tf.engine().startScope()
  try {
    const [products, tests] = tf.tidy<[Tensor2D, Tensor2D]>(() => {
      const part = (from: number, count: number) =>
        tf.concat2d([forget.slice(from, count), retained.slice(from, count)], 0)
      const train = part(0, half)
      const { mean, variance } = tf.moments(train, 0)
      const standardised = (x: Tensor2D) => tf.divNoNan<Tensor2D>(x.sub(mean), variance.sqrt())
      const z = standardised(train)
      const x = standardised(part(half, n - half))
      return [tf.matMul(z, z, false, true), tf.matMul(x, z, false, true)]
    })
    const m = 2 * half
    const matrix = Float64Array.from(await products.data())
    for (let i = 0; i < m; i++) matrix[i * (m + 1)] = (matrix[i * (m + 1)] ?? 0) + RIDGE * m
    const targets = Float64Array.from({ length: m }, (_, i) => (i < half ? 0.5 : -0.5))
    const coefficients = await choleskySolve(m, matrix, targets)
    if (!coefficients)
      throw new MathError(
        `a probe of ${m} samples has no solution: the products of their features are not positive definite; the features may not be finite`,
      )
    const decisions = tf.tidy(() => tests.dot(tf.tensor1d(Float32Array.from(coefficients))))
    const right = (await decisions.data()).filter((value, i) => (i < n - half ? value > 0 : value <= 0))
    return Math.max(0, right.length / (n - half) - 1)
  } finally {
    tf.engine().endScope()
  }
}
