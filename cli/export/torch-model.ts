import { readFile } from 'node:fs/promises'
import { encodeTensors, type Tensors, type WritableTensor } from '../../artifacts/format/safetensors.ts'
import { UserError } from '../../common/errors.ts'
import { jsonBytes } from '../../common/json.ts'
import { flattenLayers, type Layer, type Shape } from '../../experiment/models/layers.ts'
import type { ModelSpec } from '../../experiment/spec/model.ts'
import { permuted } from '../../pretrained/permute.ts'

/** A model whose layers Zeroshift defines, with all that PyTorch needs to compute its logits. */
export interface TorchModel {
  readonly model: ModelSpec
  readonly layers: readonly Layer[]
  /** The model's tensors under Zeroshift's names. */
  readonly tensors: Tensors
  readonly shape: Shape
  /** The names of the classes. */
  readonly classes: readonly string[]
  /** The mean and the standard deviation of each channel, as fractions of white. */
  readonly normalise: { readonly mean: readonly number[]; readonly deviation: readonly number[] }
}

const known: readonly Layer['kind'][] = [
  ...(['linear', 'conv', 'batch-norm', 'relu', 'gelu', 'max-pool'] as const),
  ...(['global-average-pool', 'flatten', 'residual'] as const),
]

/**
 * Returns the files of a model for PyTorch by their names: `model.safetensors`, `config.json` and
 * `model.py`, which loads them. Throws a UserError for a layer that `model.py` does not know.
 */
export async function torchFiles(model: TorchModel): Promise<Readonly<Record<string, Uint8Array>>> {
  const other = flattenLayers(model.layers).find(({ kind }) => !known.includes(kind))
  if (other)
    throw new UserError(
      `the model ${model.model.name} has the layer ${other.name} of the kind ${other.kind}, which an export does not know; ` +
        `expected layers of the kinds ${known.join(', ')}`,
    )
  const [height, width, channels] = model.shape
  const { mean, deviation: std } = model.normalise
  return {
    'model.safetensors': encodeTensors(torchTensors(model.layers, model.tensors), { format: 'pt' }),
    'config.json': jsonBytes({
      format: 'zeroshift-export',
      version: 1,
      model: model.model,
      classes: model.classes,
      input: { height, width, channels, mean, std },
      layers: model.layers,
    }),
    'model.py': await readFile(new URL('torch_model.py', import.meta.url)),
  }
}

/** Returns the tensors under PyTorch's names and in its order of axes. */
export function torchTensors(
  layers: readonly Layer[],
  tensors: Tensors,
): Readonly<Record<string, WritableTensor>> {
  const values = (name: string) => {
    const tensor = tensors[name]
    if (tensor?.dtype !== 'F32') throw new Error(`the model lacks the tensor "${name}"`)
    return tensor
  }
  const same = (name: string): WritableTensor => values(name)
  /** Axis i of the result is axis `axes[i]` of the tensor. */
  const turned = (name: string, axes: readonly number[]): WritableTensor => {
    const { shape, values: array } = values(name)
    return {
      dtype: 'F32',
      shape: axes.map((axis) => shape[axis] ?? 0),
      values: permuted(array, shape, axes),
    }
  }
  const of = (layer: Layer): Readonly<Record<string, WritableTensor>> => {
    const { name } = layer
    switch (layer.kind) {
      case 'linear':
        return {
          [`${name}.weight`]: turned(`${name}.weight`, [1, 0]),
          ...((layer.bias ?? true) && { [`${name}.bias`]: same(`${name}.bias`) }),
        }
      case 'conv':
        return {
          [`${name}.weight`]: turned(`${name}.weight`, [3, 2, 0, 1]),
          ...(layer.bias && { [`${name}.bias`]: same(`${name}.bias`) }),
        }
      case 'batch-norm':
        return {
          [`${name}.weight`]: (layer.scale ?? true) ? same(`${name}.gamma`) : ones(layer.channels),
          [`${name}.bias`]: same(`${name}.beta`),
          [`${name}.running_mean`]: same(`${name}.mean`),
          [`${name}.running_var`]: same(`${name}.variance`),
          [`${name}.num_batches_tracked`]: { dtype: 'I64', shape: [], values: new Float64Array(1) },
        }
      default:
        return {}
    }
  }
  return Object.fromEntries(flattenLayers(layers).flatMap((layer) => Object.entries(of(layer))))
}

function ones(count: number): WritableTensor {
  return { dtype: 'F32', shape: [count], values: new Float32Array(count).fill(1) }
}
