import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs'
import { Matrix } from 'ml-matrix'
import { MathError, UserError } from '../../common/errors.ts'
import { sample, stream } from '../../learning/random.ts'
import { Compiled } from '../../learning/graph/compiled.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import { choleskySolve } from '../linear-algebra/solve.ts'
import { batchesOf, gradientAt, sumsAt, sumsOf } from './shared/gradients.ts'
import type { Method } from '../method.ts'

/**
 * Influence unlearning (Jia et al. 2023, after Koh & Liang 2017): one Newton step from the minimum
 * on D towards the minimum on D_r,
 *
 *     θ ← θ + α H⁻¹ v,   v = (|D_f| / |D|) (∇L_f − ∇L_r),   H = δI + (1/N) Σ_n g_n g_nᵀ
 *
 * L_f and L_r are the mean losses on D_f and D_r. If θ is the minimum on D, v = −∇L_r. H is the
 * damped Fisher information of N gradients g_n of single retained samples (WoodFisher, Singh &
 * Alistarh 2020). WoodFisher computes H_n⁻¹ = H_{n−1}⁻¹ − H_{n−1}⁻¹ g_n g_nᵀ H_{n−1}⁻¹ / (N + g_nᵀ
 * H_{n−1}⁻¹ g_n) recursively. With the gradients as the rows of G, Woodbury's identity gives the
 * same for all N at once:
 *
 *     H⁻¹ v = (v − Gᵀ (NδI + GGᵀ)⁻¹ G v) / δ
 *
 * The defaults N = 1000 and δ = 1 are those of the authors' code, which leaves α to the user. Its
 * recursion keeps a single vector instead of H_{n−1}⁻¹ g_n for each n, so its H⁻¹ v differs from v
 * only along the first gradient. Here the inverse is exact.
 */
export const unlearn: Method<'influence'> = async (method, context) => {
  const { layers, original, data, retained, forget, seed, host } = context
  const size = original.trained.length
  const samples = sample(retained, method.samples, stream(seed, 'influence', 'samples'))
  checkMemory(samples.length, size)
  tf.engine().startScope()
  try {
    const gradient = gradientAt(layers, original, data)
    const mean = (indices: Int32Array) => ({
      batches: batchesOf(indices, 256),
      term: (batch: Int32Array) => gradient(batch).mul<Tensor1D>(batch.length / indices.length),
    })
    const passes = [mean(forget), mean(retained)]
    const blocks = batchesOf(samples, 32)
    const before = passes.reduce((sum, { batches }) => sum + batches.length, 0)
    const steps = before + blocks.length
    const sums = await sumsOf(passes, size, { data, host, steps })
    const [onForget, onRetained] = sums as [Tensor1D, Tensor1D]
    const share = forget.length / (forget.length + retained.length)
    const v = onForget.sub<Tensor1D>(onRetained).mul<Tensor1D>(share)

    // A run that continues from a snapshot computes these gradients again, which costs less than
    // storing them.
    const rows: Tensor2D[] = []
    const graphs = new Compiled(blocks.length)
    try {
      for (const [i, block] of blocks.entries()) {
        const gradients = () => tf.stack(batchesOf(block, 1).map((one) => gradient(one))) as Tensor2D
        rows.push(graphs.run(() => tf.tidy(gradients)))
        const step = before + i + 1
        await host?.step({ step, steps }, () => sumsAt(step, sums))
      }
    } finally {
      graphs.dispose()
    }
    const direction = await dampedSolve(rows, v, method.damping)
    const theta = tf.tensor1d(original.trained).add(direction.mul(method.alpha))
    return {
      weights: { trained: ((await theta.data()) as Float32Array).slice(), statistics: original.statistics },
      metrics: {
        trainable: size,
        steps,
        samplesUsed: { retained: retained.length, forget: forget.length },
        curve: [],
      },
    }
  } finally {
    tf.engine().endScope()
  }
}

/** Throws a UserError if G would need more than 16 GiB of float32. */
export function checkMemory(samples: number, size: number): void {
  const most = Math.floor(2 ** 32 / size)
  if (samples > most)
    throw new UserError(
      `influence keeps a gradient of each of ${samples} samples, ${((4 * samples * size) / 2 ** 30).toFixed(1)} GiB with this ` +
        `model's ${size} parameters; expected at most 16 GiB; lower "samples" to ${most}, or take a smaller model`,
    )
}

/**
 * Computes (δI + GᵀG / N)⁻¹ v [size]. `blocks` are the N rows of G in blocks [n, size]. Throws a
 * MathError if the damped matrix is not positive definite.
 */
export async function dampedSolve(
  blocks: readonly Tensor2D[],
  v: Tensor1D,
  damping: number,
): Promise<Tensor1D> {
  const [gram, projected] = tf.tidy((): [Tensor2D, Tensor1D] => {
    const rowsOf = (a: Tensor2D) =>
      tf.concat2d(
        blocks.map((b) => tf.matMul<Tensor2D>(a, b, false, true)),
        1,
      )
    const along = blocks.map((block) => block.dot(v) as Tensor1D)
    return [tf.concat2d(blocks.map(rowsOf), 0), tf.concat1d(along)]
  })
  const products = new Matrix(await gram.array())
  const right = Float64Array.from(await projected.array())
  tf.dispose([gram, projected])

  const { rows } = products
  const symmetric = Matrix.add(products, products.transpose()).mul(0.5)
  const damped = Matrix.add(symmetric, Matrix.eye(rows).mul(rows * damping))
  const coefficients = await choleskySolve(rows, Float64Array.from(damped.to1DArray()), right)
  if (!coefficients)
    throw new MathError(
      `the Hessian of ${rows} gradients, damped by ${damping}, is not positive definite in this precision; raise "damping"`,
    )
  return tf.tidy(() => {
    const sizes = blocks.map(({ shape }) => shape[0])
    const parts = tf.split(tf.tensor1d(Float32Array.from(coefficients)), sizes)
    const along = blocks.map((block, i) => (parts[i] as Tensor1D).dot(block))
    return v.sub<Tensor1D>(tf.addN(along)).div<Tensor1D>(damping)
  })
}
