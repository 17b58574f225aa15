import { unpackArrays } from './parameters.ts'
import type { Lora } from './lora.ts'

/**
 * An adapter in PEFT's layout: `adapter_config.json` and the tensors of `adapter_model.safetensors`, with PyTorch's axis
 * order: linear A [r, in] and B [out, r], convolution A [r, in, k, k] and B [out, r, 1, 1].
 */
export function toPeft(
  { layers, rank, scale, specs }: Lora,
  adapter: Float32Array,
): {
  config: Readonly<Record<string, unknown>>
  tensors: Record<string, { shape: readonly number[]; values: Float32Array }>
} {
  const factors = unpackArrays(specs, adapter)
  const tensors: Record<string, { shape: readonly number[]; values: Float32Array }> = {}
  for (const layer of layers) {
    const a = factors[`${layer.name}.lora_A`]?.values ?? new Float32Array()
    const b = factors[`${layer.name}.lora_B`]?.values ?? new Float32Array()
    const kernel = layer.kind === 'conv' ? layer.kernel : 1
    const tail = layer.kind === 'conv' ? [kernel, kernel] : []
    const prefix = `base_model.model.${layer.name}`
    tensors[`${prefix}.lora_A.weight`] = {
      shape: [rank, layer.in, ...tail],
      // ours: [k·k·in, r]; theirs: [r, in, k·k]
      values: permuted(a, [kernel * kernel, layer.in, rank], [2, 1, 0]),
    }
    tensors[`${prefix}.lora_B.weight`] = {
      shape: [layer.out, rank, ...tail.map(() => 1)],
      values: permuted(b, [rank, layer.out, 1], [1, 0, 2]),
    }
  }
  const config = {
    peft_type: 'LORA',
    base_model_name_or_path: null,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    lora_alpha: scale * rank,
    lora_dropout: 0,
    r: rank,
    target_modules: layers.map(({ name }) => name),
    task_type: null,
    use_rslora: false,
  }
  return { config, tensors }
}

/** Transposes a row-major array of three axes. */
function permuted(
  values: Float32Array,
  shape: readonly [number, number, number],
  axes: readonly [number, number, number],
): Float32Array {
  const strides = [shape[1] * shape[2], shape[2], 1] as const
  const [d0, d1, d2] = axes.map((axis) => shape[axis] as number) as [number, number, number]
  const [s0, s1, s2] = axes.map((axis) => strides[axis] as number) as [number, number, number]
  const result = new Float32Array(values.length)
  let next = 0
  for (let i = 0; i < d0; i++)
    for (let j = 0; j < d1; j++)
      for (let k = 0; k < d2; k++) result[next++] = values[i * s0 + j * s1 + k * s2] ?? 0
  return result
}
