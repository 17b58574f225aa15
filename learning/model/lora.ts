import type { Tensor, Tensor1D } from '@tensorflow/tfjs'
import { weightRows, type AdaptableLayer, type Layer } from '../../experiment/models/layers.ts'
import {
  initialise,
  packArrays,
  parameterSpecs,
  unpack,
  unpackArrays,
  type NamedTensors,
  type ParameterSpec,
  type Weights,
} from './parameters.ts'
import type { RandomStream } from '../random.ts'
import { tf } from '../tensorflow/tf.ts'

/**
 * Low-rank adapters (Hu et al. 2022, as in PEFT): ΔW = s·A·B with A [in, r], B [r, out] and s =
 * α/r, or s = α/√r with `rslora`. A convolution's kernel [k, k, in, out] is treated as the matrix
 * [k·k·in, out]. A is then PEFT's convolution with r channels and the layer's kernel, and B its 1×1
 * convolution.
 *
 * The forward pass uses W + ΔW. It needs one convolution instead of three and leaves the forward
 * pass of the model unchanged. With B = 0 it gives the frozen model to the bit.
 */
export interface Lora {
  readonly layers: readonly AdaptableLayer[]
  readonly rank: number
  readonly scale: number
  /** A and B of each layer, in one flat vector. */
  readonly specs: readonly ParameterSpec[]
}

export function lora(
  layers: readonly AdaptableLayer[],
  options: { rank: number; alpha?: number | undefined; rslora: boolean },
): Lora {
  const { rank, alpha = rank, rslora } = options
  const specs = layers.flatMap((layer): ParameterSpec[] => {
    const rows = weightRows(layer)
    return [
      { name: `${layer.name}.lora_A`, shape: [rows, rank], init: 'uniform', fanIn: rows },
      { name: `${layer.name}.lora_B`, shape: [rank, layer.out], init: 'zeros', fanIn: rank },
    ]
  })
  return { layers, rank, scale: rslora ? alpha / Math.sqrt(rank) : alpha / rank, specs }
}

/** The adapter before training: A uniform in ±1/√fan-in, as in PEFT, and B zero. */
export function initialAdapter({ specs }: Lora, random: RandomStream): Float32Array {
  return initialise(specs, random)
}

/** The model's parameters with ΔW added to the adapted layers. Differentiable in the adapter. */
export function adapted({ layers, scale, specs }: Lora, base: NamedTensors, adapter: Tensor1D): NamedTensors {
  const factors = unpack(specs, adapter)
  const weights = layers.map(({ name }) => {
    const weight = base[`${name}.weight`] as Tensor
    const delta = tf
      .matMul(factors[`${name}.lora_A`] as Tensor, factors[`${name}.lora_B`] as Tensor)
      .mul(scale)
    return [`${name}.weight`, weight.add(delta.reshape(weight.shape))] as const
  })
  return { ...base, ...Object.fromEntries(weights) }
}

/** The model's weights with the adapter merged. `base` holds the unadapted weights as tensors. */
export async function mergedWeights(
  adapter: Lora,
  layers: readonly Layer[],
  weights: Weights,
  base: NamedTensors,
  parameters: Float32Array,
): Promise<Weights> {
  const { trained } = parameterSpecs(layers)
  const merged = unpackArrays(trained, weights.trained.slice())
  const names = adapter.layers.map(({ name }) => `${name}.weight`)
  const updated = tf.tidy(() => {
    const all = adapted(adapter, base, tf.tensor1d(parameters))
    return names.map((name) => all[name] as Tensor)
  })
  const values = await Promise.all(updated.map((tensor) => tensor.data()))
  names.forEach((name, i) => merged[name]?.values.set(values[i] ?? []))
  tf.dispose(updated)
  return { trained: packArrays(trained, merged), statistics: weights.statistics }
}
