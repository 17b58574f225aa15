import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import { flattenLayers, type Layer } from '../experiment/model.ts'
import { batchNormTraining, relu } from './kernels.ts'
import type { NamedTensors } from './parameters.ts'
import { tf } from './tf.ts'

/** The forward pass: a walk over the layers of `experiment/model.ts` with tensors. */

const epsilon = 1e-5

export interface ForwardOptions {
  /** Batch norms use the batch's statistics and report them, instead of the running ones. */
  readonly training?: boolean
  /** Layers whose outputs are wanted. */
  readonly capture?: ReadonlySet<string>
  /** Layers whose inputs are wanted. */
  readonly inputsOf?: ReadonlySet<string>
  /** The top-level layers to run: from the first (whose input is `x`) up to, not including, the last. */
  readonly from?: number
  readonly to?: number
}

export interface Forward {
  readonly output: Tensor
  readonly features: NamedTensors
  readonly inputs: NamedTensors
  /** By statistics name (`stem.norm.mean`), while training only. Kept: the caller disposes of them. */
  readonly statistics: NamedTensors
}

/** x: [n, h, w, c] float32 (or the input of layer `from`). The whole model's output is logits [n, classes]. */
export function forward(
  layers: readonly Layer[],
  parameters: NamedTensors,
  x: Tensor,
  options: ForwardOptions = {},
): Forward {
  const { training = false, capture, inputsOf, from = 0, to = layers.length } = options
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
        return (input as Tensor2D)
          .matMul(parameter(`${layer.name}.weight`))
          .add(parameter(`${layer.name}.bias`))
      case 'conv': {
        const y = tf.conv2d(
          input as Tensor4D,
          parameter(`${layer.name}.weight`) as Tensor4D,
          layer.stride,
          'same',
        )
        return layer.bias ? y.add(parameter(`${layer.name}.bias`)) : y
      }
      case 'batch-norm': {
        const gamma = parameter(`${layer.name}.gamma`) as Tensor1D
        const beta = parameter(`${layer.name}.beta`) as Tensor1D
        if (training) {
          const { y, mean, variance } = batchNormTraining(input as Tensor4D, gamma, beta, epsilon)
          statistics[`${layer.name}.mean`] = mean
          statistics[`${layer.name}.variance`] = variance
          return y
        }
        // One multiplication and one addition: the running statistics are constants here, gamma and beta may be trained.
        const scale = gamma.div(parameter(`${layer.name}.variance`).add(epsilon).sqrt())
        return input.mul(scale).add(beta.sub(scale.mul(parameter(`${layer.name}.mean`))))
      }
      case 'relu':
        return relu(input)
      case 'max-pool':
        return tf.maxPool(input as Tensor4D, layer.size, layer.size, 'same')
      case 'global-average-pool':
        return input.mean([1, 2])
      case 'flatten':
        return input.reshape([input.shape[0] ?? 0, -1])
      case 'residual': {
        const body = run(layer.body, input)
        return body.add(layer.shortcut.length === 0 ? input : run(layer.shortcut, input))
      }
    }
  }
  const run = (list: readonly Layer[], input: Tensor) =>
    list.reduce((value, layer) => {
      const output = apply(layer, value)
      if (inputsOf?.has(layer.name)) inputs[layer.name] = value
      if (capture?.has(layer.name)) features[layer.name] = output
      return output
    }, input)

  return { output: run(layers.slice(from, to), x), features, inputs, statistics }
}

/** The index of the top-level layer that is, or contains, the layer of this name. */
export function topLevelIndex(layers: readonly Layer[], name: string): number {
  const index = layers.findIndex((layer) => flattenLayers([layer]).some((inner) => inner.name === name))
  if (index < 0) throw new Error(`the model has no layer "${name}"`)
  return index
}
