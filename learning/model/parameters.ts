import type { Tensor, Tensor1D } from '@tensorflow/tfjs'
import { flattenLayers, type Layer } from '../../experiment/models/layers.ts'
import type { RandomStream } from '../random.ts'
import { tf } from '../tensorflow/tf.ts'

/**
 * One parameter of a model. All trained parameters are stored in one flat vector and divided into
 * named tensors for the forward pass. An optimizer step then takes about a dozen operations on one
 * vector instead of a dozen per layer, and the gradient is flat too. Batch-norm statistics are not
 * trained and have a vector of their own.
 */
export interface ParameterSpec {
  readonly name: string
  readonly shape: readonly number[]
  /**
   * he: normal with variance 2 / fan-in (He et al. 2015); uniform: within ±1/√fan-in (Kaiming
   * uniform with a = √5); embedding: normal with deviation 0.02 (Dosovitskiy et al. 2021).
   */
  readonly init: 'he' | 'uniform' | 'embedding' | 'zeros' | 'ones'
  /** The number of inputs that add up to one output, which scales the random initialisation. */
  readonly fanIn: number
}

export interface ParameterSpecs {
  readonly trained: readonly ParameterSpec[]
  readonly statistics: readonly ParameterSpec[]
}

/** A model's parameters in host memory, as stages exchange them. */
export interface Weights {
  readonly trained: Float32Array
  readonly statistics: Float32Array
}

export type NamedTensors = Readonly<Record<string, Tensor>>

/** The parameters of a model, layer by layer in forward order. */
export function parameterSpecs(layers: readonly Layer[]): ParameterSpecs {
  const specs = flattenLayers(layers).map(layerParameters)
  return {
    trained: specs.flatMap(({ trained = [] }) => trained),
    statistics: specs.flatMap(({ statistics = [] }) => statistics),
  }
}

/** The parameters of one layer, without those of the layers inside it. */
function layerParameters(layer: Layer): Partial<ParameterSpecs> {
  const { name } = layer
  const spec = (part: string, shape: readonly number[], init: ParameterSpec['init'], fanIn = 1) => ({
    name: `${name}.${part}`,
    shape,
    init,
    fanIn,
  })
  switch (layer.kind) {
    case 'linear':
      return {
        trained: [
          spec('weight', [layer.in, layer.out], 'he', layer.in),
          ...((layer.bias ?? true) ? [spec('bias', [layer.out], 'zeros')] : []),
        ],
      }
    case 'conv': {
      const { kernel } = layer
      return {
        trained: [
          spec('weight', [kernel, kernel, layer.in, layer.out], 'he', kernel * kernel * layer.in),
          ...(layer.bias ? [spec('bias', [layer.out], 'zeros')] : []),
        ],
      }
    }
    case 'batch-norm':
      return {
        trained: [spec('gamma', [layer.channels], 'ones'), spec('beta', [layer.channels], 'zeros')],
        statistics: [spec('mean', [layer.channels], 'zeros'), spec('variance', [layer.channels], 'ones')],
      }
    case 'layer-norm':
      return { trained: [spec('gamma', [layer.channels], 'ones'), spec('beta', [layer.channels], 'zeros')] }
    case 'tokens': {
      const { channels, patches, distillation } = layer
      const first = ['cls_token', ...(distillation ? ['distillation_token'] : [])]
      return {
        trained: [
          ...first.map((token) => spec(token, [1, 1, channels], 'embedding')),
          spec('position_embeddings', [1, first.length + patches, channels], 'embedding'),
        ],
      }
    }
    case 'relu':
    case 'gelu':
    case 'max-pool':
    case 'global-average-pool':
    case 'flatten':
    case 'residual':
    case 'attention':
    case 'first-tokens':
      return {}
    default:
      return layer satisfies never
  }
}

export const sizeOf = ({ shape }: Pick<ParameterSpec, 'shape'>) =>
  shape.reduce((product, side) => product * side, 1)
export const totalSize = (specs: readonly ParameterSpec[]) =>
  specs.reduce((sum, spec) => sum + sizeOf(spec), 0)

/** The weights of a new model. Biases are 0 and batch norms are the identity. */
export function initialWeights({ trained, statistics }: ParameterSpecs, random: RandomStream): Weights {
  return { trained: initialise(trained, random), statistics: initialise(statistics, random) }
}

/** A flat vector in which each parameter is initialised as its spec says. */
export function initialise(specs: readonly ParameterSpec[], random: RandomStream): Float32Array {
  const values = new Float32Array(totalSize(specs))
  let offset = 0
  for (const spec of specs) {
    const part = values.subarray(offset, (offset += sizeOf(spec)))
    if (spec.init === 'ones') part.fill(1)
    if (spec.init === 'he') {
      const deviation = Math.sqrt(2 / spec.fanIn)
      for (let i = 0; i < part.length; i++) part[i] = deviation * random.normal()
    }
    if (spec.init === 'embedding') {
      for (let i = 0; i < part.length; i++) part[i] = 0.02 * random.normal()
    }
    if (spec.init === 'uniform') {
      const bound = 1 / Math.sqrt(spec.fanIn)
      for (let i = 0; i < part.length; i++) part[i] = bound * (2 * random.uniform() - 1)
    }
  }
  return values
}

/** Parameters in host memory, by name. */
export type Tensors = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly values: Float32Array }>
>

/**
 * Replaces parameters by the tensors with the same name and shape. All other tensors are ignored.
 */
export function withTensors(
  { trained, statistics }: ParameterSpecs,
  weights: Weights,
  tensors: Tensors,
): Weights {
  const replaced = (specs: readonly ParameterSpec[], flat: Float32Array) => {
    const own = unpackArrays(specs, flat)
    const given = specs.flatMap(({ name, shape }) => {
      const tensor = tensors[name]
      return tensor?.shape.join() === shape.join() ? [[name, tensor] as const] : []
    })
    return packArrays(specs, { ...own, ...Object.fromEntries(given) })
  }
  return {
    trained: replaced(trained, weights.trained),
    statistics: replaced(statistics, weights.statistics),
  }
}

/** Divides a flat vector into its named tensors. Differentiable. */
export function unpack(specs: readonly ParameterSpec[], flat: Tensor1D): NamedTensors {
  if (specs.length === 0) return {}
  const parts = tf.split(flat, specs.map(sizeOf))
  return Object.fromEntries(
    specs.map(({ name, shape }, i) => [name, (parts[i] as Tensor).reshape([...shape])]),
  )
}

/** Divides a flat vector in host memory into its named parts, without copying. */
export function unpackArrays(
  specs: readonly ParameterSpec[],
  flat: Float32Array,
): Record<string, { shape: readonly number[]; values: Float32Array }> {
  let offset = 0
  return Object.fromEntries(
    specs.map((spec) => [
      spec.name,
      { shape: spec.shape, values: flat.subarray(offset, (offset += sizeOf(spec))) },
    ]),
  )
}

/** The inverse of `unpackArrays`. Throws an Error if a name is missing or has a different shape. */
export function packArrays(
  specs: readonly ParameterSpec[],
  tensors: Readonly<Record<string, { shape: readonly number[]; values: ArrayLike<number> }>>,
): Float32Array {
  const flat = new Float32Array(totalSize(specs))
  let offset = 0
  for (const spec of specs) {
    const tensor = tensors[spec.name]
    if (!tensor) throw new Error(`the weights lack the tensor "${spec.name}"`)
    if (tensor.shape.join() !== spec.shape.join()) {
      throw new Error(
        `the tensor "${spec.name}" has shape [${tensor.shape.join(', ')}], expected [${spec.shape.join(', ')}]`,
      )
    }
    flat.set(tensor.values, offset)
    offset += sizeOf(spec)
  }
  return flat
}
