import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs'
import { flattenLayers, weightRows, type Layer } from '../../../experiment/models/layers.ts'
import type { DeviceData } from '../../../learning/data/device-data.ts'
import { batchNormEpsilon, forward } from '../../../learning/model/forward.ts'
import { parameterSpecs, type NamedTensors } from '../../../learning/model/parameters.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import { patches } from '../../../learning/model/patches.ts'

/**
 * The diagonal of the Fisher information of a batch, summed over its samples,
 *
 *     Σ_x Σ_y p(y|x) (∇_θ log p(y|x))²   [size]
 *
 * One backward pass of the batch per class gives the gradient δ of every layer's output for every
 * sample. The gradients of the single samples follow from δ and the inputs a of the layer without
 * further passes. A linear layer of one row per sample has the gradient a δᵀ, so the weighted sum
 * of its squares is (a²)ᵀ(p δ²). Where a weight acts at several positions of a sample, as in
 * convolutions and on tokens, the gradient is a sum over positions, which is squared sample by
 * sample. Nothing is approximated. Batch norms use their running statistics.
 */
export function fisherInformation(
  layers: readonly Layer[],
  parameters: NamedTensors,
  data: DeviceData,
): (batch: Int32Array) => Tensor1D {
  const specs = parameterSpecs(layers).trained
  const owners = new Set(specs.map(({ name }) => name.slice(0, name.lastIndexOf('.'))))
  const parametrised = flattenLayers(layers).filter(({ name }) => owners.has(name))
  const names = new Set(parametrised.map(({ name }) => name))
  return (batch) =>
    tf.tidy(() => {
      const images = data.images(batch)
      const { output, features, inputs } = forward(layers, parameters, images, {
        capture: names,
        inputsOf: names,
      })
      const probabilities = tf.softmax(output as Tensor2D)
      const zeros = parametrised.map(({ name }) => tf.zerosLike(features[name] as Tensor))
      const squares = parametrised.map((layer) => squaresOf(layer, inputs[layer.name] as Tensor, parameters))
      const ofClass = (y: number): Tensor1D => {
        const logProbability = (...added: Tensor[]) => {
          const shifts = Object.fromEntries(parametrised.map(({ name }, i) => [name, added[i] as Tensor]))
          const logits = forward(layers, parameters, images, { added: shifts }).output
          return tf
            .logSoftmax(logits as Tensor2D)
            .slice([0, y], [-1, 1])
            .sum()
            .asScalar()
        }
        const weights = probabilities.slice([0, y], [-1, 1]).reshape<Tensor1D>([-1])
        const gradients = tf.grads(logProbability)(zeros)
        return tf.concat1d(squares.flatMap((of, i) => of(gradients[i] as Tensor, weights)))
      }
      return tf.addN<Tensor1D>(Array.from({ length: data.classes }, (_, y) => ofClass(y)))
    })
}

/**
 * Computes weighted sums over samples of the squared gradients of a layer's parameters, flat and in
 * the order of `parameterSpecs`. delta: the gradients of the layer's outputs, [n, ..., out].
 * weights: [n].
 */
type Squares = (delta: Tensor, weights: Tensor1D) => readonly Tensor1D[]

function squaresOf(layer: Layer, input: Tensor, parameters: NamedTensors): Squares {
  switch (layer.kind) {
    case 'linear': {
      const ofWeight = weightSquares(input as Tensor2D | Tensor3D)
      return (delta, weights) => [
        ofWeight(delta, weights),
        ...((layer.bias ?? true) ? [ofSums(delta, weights)] : []),
      ]
    }
    case 'conv': {
      const [n = 0] = input.shape
      const ofWeight = weightSquares(patches(layer, input).reshape([n, -1, weightRows(layer)]))
      return (delta, weights) => [
        // The weights of a whitening layer are not trained.
        ...(layer.whitening === true ? [] : [ofWeight(delta, weights)]),
        ...(layer.bias ? [ofSums(delta, weights)] : []),
      ]
    }
    case 'batch-norm': {
      const mean = parameters[`${layer.name}.mean`] as Tensor
      const variance = parameters[`${layer.name}.variance`] as Tensor
      const normal = input.sub(mean).div(variance.add(batchNormEpsilon(layer)).sqrt())
      return (delta, weights) => [
        ...((layer.scale ?? true) ? [ofSums(delta.mul(normal), weights)] : []),
        ofSums(delta, weights),
      ]
    }
    case 'layer-norm': {
      const centred = input.sub(input.mean(-1, true))
      const normal = centred.div(centred.square().mean(-1, true).add(layer.epsilon).sqrt())
      return (delta, weights) => [ofSums(delta.mul(normal), weights), ofSums(delta, weights)]
    }
    case 'tokens':
      // A token that is put before the patches is added to the embedding of its position.
      return (delta, weights) => {
        const squared = weightedSum(delta.square(), weights)
        const first = Array.from({ length: layer.distillation ? 2 : 1 }, (_, i) =>
          squared.slice([i, 0], [1, -1]).reshape<Tensor1D>([-1]),
        )
        return [...first, squared.reshape<Tensor1D>([-1])]
      }
    case 'relu':
    case 'gelu':
    case 'max-pool':
    case 'global-average-pool':
    case 'flatten':
    case 'residual':
    case 'attention':
    case 'first-tokens':
      return () => []
    default:
      return layer satisfies never
  }
}

/** Σ_n w_n x_n of x [n, ...]. */
function weightedSum(x: Tensor, weights: Tensor1D): Tensor {
  const [n = 0, ...rest] = x.shape
  return tf.matMul(weights.reshape<Tensor2D>([1, n]), x.reshape<Tensor2D>([n, -1])).reshape(rest)
}

/** Σ_n w_n (Σ_positions x_n)², [channels], of x [n, ..., channels]. */
function ofSums(x: Tensor, weights: Tensor1D): Tensor1D {
  const sums = x.rank === 2 ? x : flatPositions(x).sum(1)
  return weightedSum(sums.square(), weights) as Tensor1D
}

/**
 * Of inputs a [n, in] or [n, positions, in], returns a function of δ [n, ..., out] and the weights
 * of the samples. It computes Σ_n w_n (aᵀδ)_n², flat [in·out], where the products are summed over
 * the positions of a sample before they are squared.
 */
function weightSquares(input: Tensor2D | Tensor3D): (delta: Tensor, weights: Tensor1D) => Tensor1D {
  if (input.rank === 2) {
    const squared = tf.square<Tensor2D>(input as Tensor2D)
    return (delta, weights) => {
      const weighted = delta.square().mul<Tensor2D>(weights.expandDims(1))
      return tf.matMul(squared, weighted, true).reshape<Tensor1D>([-1])
    }
  }
  return (delta, weights) => {
    const gradients = tf.matMul(input, flatPositions(delta), true)
    return weightedSum(gradients.square(), weights).reshape<Tensor1D>([-1])
  }
}

/** [n, ..., c] as [n, positions, c]. */
function flatPositions(x: Tensor): Tensor3D {
  return x.reshape([x.shape[0] ?? 0, -1, x.shape.at(-1) ?? 0])
}
