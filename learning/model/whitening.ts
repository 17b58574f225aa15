import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import { flattenLayers, weightRows, type ConvLayer, type Layer } from '../../experiment/models/layers.ts'
import type { DeviceData } from '../data/device-data.ts'
import { sample, type RandomStream } from '../random.ts'
import type { Host } from '../training/host.ts'
import { tf } from '../tensorflow/tf.ts'
import { parameterSpecs, withTensors, type Weights } from './parameters.ts'
import { patches } from './patches.ts'

/** The number of images from which the covariance is estimated. */
const IMAGES = 5000
const BATCH = 250

/** Is added to the eigenvalues, so that directions without variance do not grow without bounds. */
const EPSILON = 5e-4

/**
 * The weights of whitening layers from images of `indices`, of which at most 5,000 are drawn
 * (K. Jordan 2024, arXiv 2404.00498). Returns other weights unchanged. A patch of k×k pixels with c
 * channels is a vector p of k·k·c numbers in normalised units, with the second moments
 *
 *     C = E[p pᵀ] = Σ_i λ_i v_i v_iᵀ
 *
 * The filters are v_i / √(λ_i + 5e-4), with the largest λ_i first, and then their negatives. The
 * first half of the outputs therefore has nearly the identity as second moments. The component of
 * v_i with the largest magnitude is positive.
 */
export async function whitened(
  layers: readonly Layer[],
  weights: Weights,
  data: DeviceData,
  indices: Int32Array,
  { random, host }: { readonly random: RandomStream; readonly host?: Host | undefined },
): Promise<Weights> {
  const layer = layers[0]
  const others = flattenLayers(layers.slice(1))
  if (others.some((other) => other.kind === 'conv' && other.whitening === true))
    throw new Error('only the first layer of a model can be a whitening layer')
  if (layer?.kind !== 'conv' || layer.whitening !== true) return weights
  const moments = await secondMoments(layer, data, sample(indices, IMAGES, random), host)
  const { kernel } = layer
  const shape = [kernel, kernel, layer.in, layer.out]
  const tensors = { [`${layer.name}.weight`]: { shape, values: whiteningFilters(moments) } }
  return withTensors(parameterSpecs(layers), weights, tensors)
}

/** E[p pᵀ] of all patches of the images. */
async function secondMoments(
  layer: ConvLayer,
  data: DeviceData,
  indices: Int32Array,
  host: Host | undefined,
): Promise<Matrix> {
  const size = weightRows(layer)
  const sum = Matrix.zeros(size, size)
  let count = 0
  for (let first = 0; first < indices.length; first += BATCH) {
    const batch = indices.subarray(first, first + BATCH)
    const product = tf.tidy(() => {
      const rows = patches(layer, data.images(batch))
      count += rows.shape[0]
      return tf.matMul(rows, rows, true)
    })
    sum.add(Matrix.from1DArray(size, size, await product.data()))
    product.dispose()
    await host?.step({})
  }
  return sum.div(count)
}

/**
 * The whitening filters of second moments [d, d], as the weights [d, 2d] of a layer, row-major.
 */
export function whiteningFilters(moments: Matrix): Float32Array {
  const size = moments.rows
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(moments, {
    assumeSymmetric: true,
  })
  const order = realEigenvalues
    .map((_, i) => i)
    .sort((a, b) => (realEigenvalues[b] ?? 0) - (realEigenvalues[a] ?? 0))
  const values = new Float32Array(size * 2 * size)
  order.forEach((column, i) => {
    const vector = eigenvectorMatrix.getColumn(column)
    const largest = vector.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0)
    // Rounding can make the smallest eigenvalues negative.
    const eigenvalue = Math.max(0, realEigenvalues[column] ?? 0)
    const factor = Math.sign(largest) / Math.sqrt(eigenvalue + EPSILON)
    vector.forEach((value, row) => {
      values[row * 2 * size + i] = factor * value
      values[row * 2 * size + size + i] = -factor * value
    })
  })
  return values
}
