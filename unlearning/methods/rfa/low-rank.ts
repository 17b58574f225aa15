import type { Tensor, Tensor2D } from '@tensorflow/tfjs'
import { weightRows, type AdaptableLayer } from '../../../experiment/models/layers.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import type { Host } from '../../../learning/training/host.ts'
import { eigenvectors } from '../../linear-algebra/solve.ts'
import { patches } from '../../../learning/model/patches.ts'

/** A product A·B of A [rows, rank] and B [rank, out], row-major. */
export interface Factors {
  readonly a: Float32Array
  readonly b: Float32Array
  readonly rank: number
}

const BATCH = 256

/**
 * Factors of a change ΔW [rows, out] of a layer's weights, of at most the given rank. If no more
 * columns or rows than that differ from zero, they are exact: A has the columns of ΔW and B selects
 * them, or A selects the rows and B has them. Otherwise they are the best approximation of the
 * change of the outputs on some samples,
 *
 *     min_{A, B}  Σ_x ‖x ΔW − x A B‖²,    A = ΔW U,  B = Uᵀ,
 *
 * with U the leading eigenvectors of Σ_x (x ΔW)ᵀ (x ΔW) (Eckart and Young 1936).
 *
 * inputOfSamples gives the samples [n, ...], and inputsOf the layer's inputs x for some of them.
 * Neither is called if the factors are exact.
 */
export async function lowRank({
  layer,
  change,
  rank: most,
  inputOfSamples,
  inputsOf,
  host,
}: {
  readonly layer: AdaptableLayer
  readonly change: Float32Array
  readonly rank: number
  readonly inputOfSamples: () => Promise<Tensor>
  readonly inputsOf: (rows: Tensor) => Tensor
  readonly host?: Host | undefined
}): Promise<Factors> {
  const [rows, { out }] = [weightRows(layer), layer]
  const columns = Array.from({ length: out }, (_, j) => j).filter((j) =>
    Array.from({ length: rows }, (_, i) => change[i * out + j]).some((value) => value !== 0),
  )
  if (columns.length <= most) {
    const rank = Math.max(1, columns.length)
    const [a, b] = [new Float32Array(rows * rank), new Float32Array(rank * out)]
    columns.forEach((column, k) => {
      for (let i = 0; i < rows; i++) a[i * rank + k] = change[i * out + column] ?? NaN
      b[k * out + column] = 1
    })
    return { a, b, rank }
  }
  if (rows <= most) {
    const identity = Float32Array.from({ length: rows * rows }, (_, i) => (i % (rows + 1) === 0 ? 1 : 0))
    return { a: identity, b: change, rank: rows }
  }
  const input = await inputOfSamples()
  const delta = tf.tensor2d(change, [rows, out])
  const energy = new Float64Array(out * out)
  const [n = 0] = input.shape
  for (let first = 0; first < n; first += BATCH) {
    const part = tf.tidy(() => {
      const samples = input.slice([first], [Math.min(BATCH, n - first)])
      const moved = tf.matMul(patches(layer, inputsOf(samples)), delta)
      return tf.matMul(moved, moved, true)
    })
    const values = await part.data()
    for (let i = 0; i < energy.length; i++) energy[i] = (energy[i] ?? 0) + (values[i] ?? NaN)
    part.dispose()
    await host?.step({})
  }
  // Eigenvalues are in ascending order. Rounding leaves the products slightly asymmetric.
  const symmetric = energy.map(
    (value, i) => (value + (energy[(i % out) * out + Math.floor(i / out)] ?? NaN)) / 2,
  )
  const vectors = Float32Array.from(await eigenvectors(out, symmetric))
  const [a, b] = tf.tidy<[Tensor2D, Tensor2D]>(() => {
    const leading = tf.tensor2d(vectors, [out, out]).slice([0, out - most], [out, most])
    return [tf.matMul(delta, leading), leading.transpose<Tensor2D>()]
  })
  const factors = { a: await floats(a), b: await floats(b), rank: most }
  tf.dispose([delta, a, b])
  return factors
}

const floats = async (tensor: Tensor): Promise<Float32Array> => Float32Array.from(await tensor.data())
