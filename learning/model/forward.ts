import type { Rank, Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs'
import { type ConvLayer, type Layer, type LinearLayer } from '../../experiment/models/layers.ts'
import { batchNormTraining, relu } from './kernels.ts'
import type { NamedTensors } from './parameters.ts'
import { tf } from '../tensorflow/tf.ts'
import { attention, gelu, geluTanh, layerNorm } from './transformer.ts'

/** The forward pass of the layers in `experiment/models/model.ts`. */

/** The number that a batch norm adds to the variance. */
export function batchNormEpsilon({ epsilon = 1e-5 }: { readonly epsilon?: number }): number {
  return epsilon
}

/** Padding for max-pooling: smaller than every activation. */
const lowest = -3.4e38

/** Pads an image. tfjs-node differentiates only convolutions with 'same' and 'valid' padding. */
function padded(x: Tensor4D, by: number, value: number): Tensor4D {
  if (by === 0) return x
  const sides: [number, number] = [by, by]
  return tf.pad4d(x, [[0, 0], sides, sides, [0, 0]], value)
}

export interface ForwardOptions {
  /** Batch norms use and report the statistics of the batch, instead of the running ones. */
  readonly training?: boolean
  /** Layers whose outputs are returned. */
  readonly capture?: ReadonlySet<string>
  /** Layers whose inputs are returned. */
  readonly inputsOf?: ReadonlySet<string>
  /**
   * By name of layer, a tensor that is added to its output. The gradient with respect to zeros is
   * the gradient with respect to the output.
   */
  readonly added?: NamedTensors
  /** The top-level layers to run: from `from`, whose input is `x`, up to `to` (exclusive). */
  readonly from?: number
  readonly to?: number
}

export interface Forward {
  readonly output: Tensor
  readonly features: NamedTensors
  readonly inputs: NamedTensors
  /**
   * Batch statistics by name (`stem.norm.mean`), in training only. They are kept; the caller
   * disposes of them.
   */
  readonly statistics: NamedTensors
}

/**
 * x: [n, h, w, c] float32, or the input of layer `from`. The output of the whole model is logits
 * [n, classes].
 */
export function forward(
  layers: readonly Layer[],
  parameters: NamedTensors,
  x: Tensor,
  options: ForwardOptions = {},
): Forward {
  const { training = false, capture, inputsOf, added, from = 0, to = layers.length } = options
  const features: Record<string, Tensor> = {}
  const inputs: Record<string, Tensor> = {}
  const statistics: Record<string, Tensor> = {}
  const parameter = (name: string) => {
    const tensor = parameters[name]
    if (!tensor) throw new Error(`the model has no parameter "${name}"`)
    return tensor
  }

  const apply = (layer: Layer, input: Tensor): Tensor => {
    switch (layer.kind) {
      case 'linear':
        return linear(layer, input)
      case 'conv':
        return convolution(layer, input as Tensor4D)
      case 'batch-norm': {
        const epsilon = batchNormEpsilon(layer)
        const { scale: hasScale = true } = layer
        const gamma = hasScale
          ? (parameter(`${layer.name}.gamma`) as Tensor1D)
          : tf.ones<Rank.R1>([layer.channels])
        const beta = parameter(`${layer.name}.beta`) as Tensor1D
        if (training) {
          const images = input.rank === 4 ? input : input.reshape([-1, 1, 1, layer.channels])
          const { y, mean, variance } = batchNormTraining(images as Tensor4D, gamma, beta, epsilon)
          statistics[`${layer.name}.mean`] = mean
          statistics[`${layer.name}.variance`] = variance
          return input.rank === 4 ? y : y.reshape(input.shape)
        }
        // One multiplication and one addition: the running statistics are constants here, while
        // gamma and beta may be trained.
        const scale = gamma.div(parameter(`${layer.name}.variance`).add(epsilon).sqrt())
        return input.mul(scale).add(beta.sub(scale.mul(parameter(`${layer.name}.mean`))))
      }
      case 'relu':
        return relu(input)
      case 'max-pool': {
        const { size, stride = size, padding } = layer
        if (padding === undefined) return tf.maxPool(input as Tensor4D, size, stride, 'same')
        return tf.maxPool(padded(input as Tensor4D, padding, lowest), size, stride, 'valid')
      }
      case 'global-average-pool':
        return input.mean([1, 2])
      case 'flatten':
        return input.reshape([input.shape[0] ?? 0, -1])
      case 'residual': {
        const body = run(layer.body, input)
        return body.add(layer.shortcut.length === 0 ? input : run(layer.shortcut, input))
      }
      case 'layer-norm': {
        const gamma = parameter(`${layer.name}.gamma`) as Tensor1D
        const beta = parameter(`${layer.name}.beta`) as Tensor1D
        return layerNorm(input, gamma, beta, layer.epsilon)
      }
      case 'gelu':
        return layer.tanh ? geluTanh(input) : gelu(input)
      case 'tokens': {
        const [n = 0] = input.shape
        const first = ['cls_token', ...(layer.distillation ? ['distillation_token'] : [])].map((name) =>
          tf.tile(parameter(`${layer.name}.${name}`), [n, 1, 1]),
        )
        const patches = input.reshape([n, layer.patches, layer.channels])
        return tf.concat([...first, patches], 1).add(parameter(`${layer.name}.position_embeddings`))
      }
      case 'attention': {
        const { query, key, value, heads } = layer
        return attention(visit(query, input), visit(key, input), visit(value, input), heads)
      }
      case 'first-tokens':
        return (input as Tensor3D).slice([0, 0, 0], [-1, layer.count, -1]).reshape([input.shape[0] ?? 0, -1])
    }
  }
  const linear = ({ name, bias = true, out }: LinearLayer, input: Tensor) => {
    const rows = input.rank === 2 ? input : input.reshape([-1, input.shape.at(-1) ?? 0])
    const product = (rows as Tensor2D).matMul<Tensor2D>(parameter(`${name}.weight`))
    const y = bias ? product.add(parameter(`${name}.bias`)) : product
    return input.rank === 2 ? y : y.reshape([...input.shape.slice(0, -1), out])
  }
  const convolution = ({ name, stride, padding, bias }: ConvLayer, input: Tensor4D) => {
    const weight = parameter(`${name}.weight`) as Tensor4D
    const y =
      padding === undefined
        ? tf.conv2d(input, weight, stride, 'same')
        : tf.conv2d(padded(input, padding, 0), weight, stride, 'valid')
    return bias ? y.add(parameter(`${name}.bias`)) : y
  }
  const visit = (layer: Layer, input: Tensor) => {
    const applied = apply(layer, input)
    const more = added?.[layer.name]
    const output = more ? applied.add(more) : applied
    if (inputsOf?.has(layer.name)) inputs[layer.name] = input
    if (capture?.has(layer.name)) features[layer.name] = output
    return output
  }
  const run = (list: readonly Layer[], input: Tensor) =>
    list.reduce((value, layer) => visit(layer, value), input)

  return { output: run(layers.slice(from, to), x), features, inputs, statistics }
}
