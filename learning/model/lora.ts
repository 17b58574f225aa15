import type { Tensor, Tensor1D } from '@tensorflow/tfjs'
import { weightRows, type AdaptableLayer, type Layer } from '../../experiment/models/model.ts'
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
 * Low-rank adapters (Hu et al. 2022, as in PEFT): ΔW = s·A·B with A [in, r], B [r, out], s = α/r, or α/√r with
 * `rslora`. A convolution's kernel [k, k, in, out] is the matrix [k·k·in, out]: A is then PEFT's r-channel convolution with
 * the layer's kernel, B its 1×1 convolution.
 *
 * The forward pass runs on W + ΔW: one convolution instead of three, the unadapted forward pass unchanged, and B = 0 gives
 * the frozen model to the bit.
 */
export interface Lora {
  readonly layers: readonly AdaptableLayer[]
  readonly rank: number
  readonly scale: number
  /** A and B of each layer, in one flat vector like all parameters. */
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

/** A uniform in ±1/√fan-in, as PEFT, and B zero. */
export function initialAdapter({ specs }: Lora, random: RandomStream): Float32Array {
  return initialise(specs, random)
}

/** The model's parameters with ΔW added to the adapted layers' weights. Differentiable in the adapter. */
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

/** A model's weights with an adapter folded in; `base` holds the same weights as tensors. */
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
