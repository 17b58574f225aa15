import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs'
import { Matrix } from 'ml-matrix'
import { MathError } from '../../../common/errors.ts'
import {
  weightRows,
  type AdaptableLayer,
  type Layer,
  topLevelIndex,
} from '../../../experiment/models/layers.ts'
import type { Host } from '../../../learning/training/host.ts'
import { adapted, type Lora } from '../../../learning/model/lora.ts'
import { forward } from '../../../learning/model/forward.ts'
import { totalSize, unpackArrays, type NamedTensors } from '../../../learning/model/parameters.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import { choleskySolve, eigenvectors } from '../../linear-algebra/solve.ts'
import { patches } from '../../../learning/model/patches.ts'

/**
 * The best low-rank update of one linear layer in closed form. x is the layer's input in the
 * student, R the difference between the wanted output and the student's, and ω the weights of the
 * samples:
 *
 *     ΔW = argmin Σ_i ω_i ‖x_i ΔW − R_i‖² + ε ‖ΔW‖² = C⁻¹ K,
 *     C = Σ_i ω_i x_iᵀ x_i + εI,   K = Σ_i ω_i x_iᵀ R_i
 *
 * The best update of rank r in C's metric is ΔW U Uᵀ, where U [out, r] has the leading eigenvectors
 * of ΔWᵀ C ΔW = ΔWᵀ K (Eckart and Young 1936, after a change of variables). Then A = ΔW U and B =
 * Uᵀ. A convolution is the same problem for its patches.
 */
export class RidgeProblem {
  private readonly moment: Float64Array
  private readonly cross: Float64Array
  private readonly layer: AdaptableLayer
  private readonly rows: number

  constructor(layer: AdaptableLayer) {
    this.layer = layer
    this.rows = weightRows(layer)
    this.moment = new Float64Array(this.rows * this.rows)
    this.cross = new Float64Array(this.rows * layer.out)
  }

  /**
   * Adds samples with the same weight. input: x [n, ...]; lacking: R, with the shape of the output.
   */
  async add(input: Tensor, lacking: Tensor, weight: number): Promise<void> {
    const [moment, cross] = tf.tidy<[Tensor2D, Tensor2D]>(() => {
      const x = patches(this.layer, input)
      const r = lacking.reshape<Tensor2D>([-1, this.layer.out])
      return [tf.matMul(x, x, true), tf.matMul(x, r, true)]
    })
    await Promise.all([added(this.moment, moment, weight), added(this.cross, cross, weight)])
    tf.dispose([moment, cross])
  }

  /**
   * Returns A [in, r] and B [r, out], row-major. `ridge` is ε relative to the mean of C's diagonal.
   * Throws a MathError if C is not positive definite.
   */
  async solve(rank: number, ridge: number): Promise<{ readonly a: Float32Array; readonly b: Float32Array }> {
    const { out, name } = this.layer
    const moment = Matrix.from1DArray(this.rows, this.rows, this.moment)
    const cross = Matrix.from1DArray(this.rows, out, this.cross)
    const epsilon = (ridge * moment.trace()) / this.rows
    const regular = symmetric(moment).add(Matrix.eye(this.rows).mul(epsilon))
    const solution = await choleskySolve(this.rows, flat(regular), this.cross)
    if (!solution)
      throw new MathError(
        `the closed form has no solution at layer ${name}: the second moment of its inputs is not positive definite; raise "ridge"`,
      )
    const update = Matrix.from1DArray(this.rows, out, solution)
    const energy = update.transpose().mmul(cross)
    const vectors = Matrix.from1DArray(out, out, await eigenvectors(out, flat(symmetric(energy))))
    // Eigenvalues are in ascending order.
    const leading = vectors.subMatrix(0, out - 1, out - rank, out - 1)
    return {
      a: Float32Array.from(update.mmul(leading).to1DArray()),
      b: Float32Array.from(leading.transpose().to1DArray()),
    }
  }
}

/**
 * Removes the asymmetry of rounding. A matrix that is already symmetric stays the same to the bit.
 */
function symmetric(product: Matrix): Matrix {
  return Matrix.add(product, product.transpose()).mul(0.5)
}

const flat = (matrix: Matrix) => Float64Array.from(matrix.to1DArray())

/** Adds in float64, because there are many batches and the sum must be inverted. */
async function added(sum: Float64Array, tensor: Tensor, weight: number): Promise<void> {
  const values = await tensor.data()
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + weight * (values[i] ?? NaN)
}

const BATCH = 256

/**
 * Samples at the first adapted layer, and the outputs that each adapted layer should have for them.
 */
export interface Wanted {
  /** The input of layer `from`, [n, ...]. */
  readonly input: Tensor
  /** The wanted output of a layer for the samples at these positions. */
  readonly output: (layer: string, positions: Tensor1D) => Tensor
  readonly weight: number
}

/**
 * Solves for an adapter without gradient steps. In forward order, every adapted layer gets the best
 * low-rank update for the inputs that the updated layers before it produce. Each layer's own output
 * is aligned. Returns A and B, flat.
 */
export async function closedFormAdapter(
  adapter: Lora,
  layers: readonly Layer[],
  base: NamedTensors,
  wanted: readonly Wanted[],
  { from, ridge, host }: { from: number; ridge: number; host?: Host | undefined },
): Promise<Float32Array> {
  const parameters = new Float32Array(totalSize(adapter.specs))
  const factors = unpackArrays(adapter.specs, parameters)
  for (const layer of adapter.layers) {
    const problem = new RidgeProblem(layer)
    const student = tf.tidy(() => adapted(adapter, base, tf.tensor1d(parameters)))
    const names = new Set([layer.name])
    const options = { from, to: topLevelIndex(layers, layer.name) + 1, capture: names, inputsOf: names }
    for (const { input, output, weight } of wanted) {
      const [n = 0] = input.shape
      for (let first = 0; first < n; first += BATCH) {
        const [x, lacking] = tf.tidy(() => {
          const positions = tf.range(first, Math.min(n, first + BATCH), 1, 'int32')
          const { inputs, features } = forward(layers, student, tf.gather(input, positions), options)
          return [inputs[layer.name], output(layer.name, positions).sub(features[layer.name] as Tensor)]
        }) as [Tensor, Tensor]
        await problem.add(x, lacking, weight / n)
        tf.dispose([x, lacking])
        await host?.step({})
      }
    }
    const changed = Object.values(student).filter((tensor) => !Object.values(base).includes(tensor))
    tf.dispose(changed)
    const { a, b } = await problem.solve(adapter.rank, ridge)
    factors[`${layer.name}.lora_A`]?.values.set(a)
    factors[`${layer.name}.lora_B`]?.values.set(b.map((value) => value / adapter.scale))
  }
  return parameters
}
