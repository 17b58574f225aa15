import type { Tensor, Tensor1D } from '@tensorflow/tfjs'
import { flattenLayers, type Layer } from '../../experiment/models/layers.ts'
import type { RandomStream } from '../random.ts'
import { tf } from '../tensorflow/tf.ts'

/**
 * One parameter of a model. All trained parameters are stored in one flat vector and divided into
 * named tensors for the forward pass. An optimizer step then takes about a dozen operations on one
 * vector instead of a dozen per layer, and the gradient is flat too. Batch-norm statistics and
 * frozen weights are not trained and have a vector of their own.
 */
export interface ParameterSpec {
  readonly name: string
  readonly shape: readonly number[]
  /**
   * he: normal with variance 2 / fan-in (He et al. 2015); uniform: within ±1/√fan-in (Kaiming
   * uniform with a = √5); identity: a kernel [k, k, in, out] whose filter i < in copies channel i,
   * while the others are uniform; embedding: normal with deviation 0.02 (Dosovitskiy et al. 2021).
   */
  readonly init: 'he' | 'uniform' | 'identity' | 'embedding' | 'zeros' | 'ones'
  /** The number of inputs that add up to one output, which scales the random initialisation. */
  readonly fanIn: number
  /** Multiplies the initial values. 1 unless given. */
  readonly scale?: number
  /** The share of a running statistic that a step keeps. 0.9 unless given. */
  readonly momentum?: number
  /** True for weights among the statistics, which no step changes. */
  readonly isFrozen?: boolean
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
  const spec = (
    part: string,
    shape: readonly number[],
    init: ParameterSpec['init'],
    fanIn = 1,
  ): ParameterSpec => ({
    name: `${name}.${part}`,
    shape,
    init,
    fanIn,
  })
  switch (layer.kind) {
    case 'linear':
      return {
        trained: [
          {
            ...spec('weight', [layer.in, layer.out], layer.initial ?? 'he', layer.in),
            ...(layer.initialScale !== undefined && { scale: layer.initialScale }),
          },
          ...((layer.bias ?? true) ? [spec('bias', [layer.out], 'zeros')] : []),
        ],
      }
    case 'conv': {
      const { kernel, initial = 'he' } = layer
      const shape = [kernel, kernel, layer.in, layer.out]
      const fanIn = kernel * kernel * layer.in
      const bias = layer.bias ? [spec('bias', [layer.out], 'zeros')] : []
      return layer.whitening === true
        ? // A model without training images keeps these random weights.
          { trained: bias, statistics: [{ ...spec('weight', shape, 'uniform', fanIn), isFrozen: true }] }
        : { trained: [spec('weight', shape, initial, fanIn), ...bias] }
    }
    case 'batch-norm': {
      const { channels, momentum } = layer
      const running = (part: string, init: 'zeros' | 'ones') => ({
        ...spec(part, [channels], init),
        ...(momentum !== undefined && { momentum }),
      })
      return {
        trained: [
          ...((layer.scale ?? true) ? [spec('gamma', [channels], 'ones')] : []),
          spec('beta', [channels], 'zeros'),
        ],
        statistics: [running('mean', 'zeros'), running('variance', 'ones')],
      }
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
    if (spec.init === 'uniform' || spec.init === 'identity') {
      const bound = 1 / Math.sqrt(spec.fanIn)
      for (let i = 0; i < part.length; i++) part[i] = bound * (2 * random.uniform() - 1)
    }
    if (spec.init === 'identity') setIdentity(part, spec.shape)
    const { scale } = spec
    if (scale !== undefined) for (let i = 0; i < part.length; i++) part[i] = scale * (part[i] ?? 0)
  }
  return values
}

/**
 * Sets the filters i < in of a kernel [h, w, in, out] to the one that copies channel i at its
 * centre.
 */
function setIdentity(kernel: Float32Array, shape: readonly number[]): void {
  const [height = 0, width = 0, channels = 0, out = 0] = shape
  const centre = Math.floor(height / 2) * width + Math.floor(width / 2)
  for (let position = 0; position < height * width; position++)
    for (let from = 0; from < channels; from++)
      for (let to = 0; to < Math.min(channels, out); to++)
        kernel[(position * channels + from) * out + to] = position === centre && from === to ? 1 : 0
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

/** The frozen weights of a model, by name. The caller disposes of them. */
export function frozenTensors({ statistics }: ParameterSpecs, flat: Float32Array): NamedTensors {
  const frozen = new Set(statistics.flatMap(({ name, isFrozen }) => (isFrozen === true ? [name] : [])))
  return Object.fromEntries(
    Object.entries(unpackArrays(statistics, flat)).flatMap(([name, { shape, values }]) =>
      frozen.has(name) ? [[name, tf.tensor(values, [...shape])] as const] : [],
    ),
  )
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
