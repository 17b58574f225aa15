import type { Architecture } from '../experiment/models/pretrained.ts'
import type { AdaptableLayer } from '../experiment/models/layers.ts'
import { vitHead } from '../experiment/models/vit.ts'
import type { Lora } from '../learning/model/lora.ts'
import { unpackArrays, type Tensors } from '../learning/model/parameters.ts'
import { headsOf } from './heads.ts'
import { permuted } from './permute.ts'
import { currentSpelling } from './spelling.ts'

/**
 * Converts an adapter to PEFT's layout: `adapter_config.json` and the tensors of
 * `adapter_model.safetensors` in PyTorch's axis order. Linear layers have A [r, in] and B [out, r],
 * convolutions A [r, in, k, k] and B [out, r, 1, 1]. Layers of a pre-trained model have the names
 * of transformers 5. With other names PEFT would leave the model unchanged without an error.
 */
export function toPeft(
  { layers, rank, scale, specs }: Lora,
  adapter: Float32Array,
  architecture?: Architecture,
): { config: Readonly<Record<string, unknown>>; tensors: Tensors } {
  const factors = unpackArrays(specs, adapter)
  const modules = layers.flatMap((layer) => {
    const a = factors[`${layer.name}.lora_A`]?.values ?? new Float32Array()
    const b = factors[`${layer.name}.lora_B`]?.values ?? new Float32Array()
    return modulesOf(layer, a, b, architecture)
  })
  const tensors: Record<string, Tensors[string]> = {}
  for (const { layer, a, b } of modules) {
    const kernel = layer.kind === 'conv' ? layer.kernel : 1
    const tail = layer.kind === 'conv' ? [kernel, kernel] : []
    const prefix = `base_model.model.${layer.name}`
    tensors[`${prefix}.lora_A.weight`] = {
      shape: [rank, layer.in, ...tail],
      // Ours is [k·k·in, r], PEFT's is [r, in, k·k].
      values: permuted(a, [kernel * kernel, layer.in, rank], [2, 1, 0]),
    }
    tensors[`${prefix}.lora_B.weight`] = {
      shape: [layer.out, rank, ...tail.map(() => 1)],
      values: permuted(b, [rank, layer.out], [1, 0]),
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
    target_modules: modules.map(({ layer }) => layer.name),
    task_type: null,
    use_rslora: false,
  }
  return { config, tensors }
}

interface AdaptedModule {
  readonly layer: AdaptableLayer
  readonly a: Float32Array
  readonly b: Float32Array
}

/**
 * The modules of transformers that correspond to a layer. DeiT's two heads, whose mean is used,
 * each get their token's rows of A, and twice B.
 */
function modulesOf(
  layer: AdaptableLayer,
  a: Float32Array,
  b: Float32Array,
  architecture: Architecture | undefined,
): readonly AdaptedModule[] {
  if (architecture?.kind !== 'vit') return [{ layer, a, b }]
  const heads = headsOf(architecture)
  if (layer.name !== vitHead || heads.length === 1)
    return [{ layer: { ...layer, name: currentSpelling(layer.name, architecture.family) }, a, b }]
  const rows = a.length / heads.length
  return heads.map((name, i) => ({
    layer: { ...layer, name, in: layer.in / heads.length },
    a: a.subarray(i * rows, (i + 1) * rows),
    b: b.map((value) => value * heads.length),
  }))
}
