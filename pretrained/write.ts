import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeTensors, type WritableTensor } from '../artifacts/format/safetensors.ts'
import type { Architecture, Preparation } from '../experiment/models/pretrained.ts'
import { flattenLayers, type Layer } from '../experiment/models/layers.ts'
import type { Tensors } from '../learning/model/parameters.ts'
import { withPublishedHeads } from './heads.ts'
import { inverse, permuted } from './permute.ts'
import { publishedLayers, publishedTensors, tensorShape } from './published.ts'

export interface WrittenModel {
  readonly architecture: Architecture
  readonly preparation: Preparation
  /** Parameters under our names, as `readCheckpoint` returns them. */
  readonly parameters: Tensors
  /** Names of the classes. */
  readonly labels: readonly string[]
}

/**
 * Writes a checkpoint that transformers can load, and that `readCheckpoint` reads as the same
 * model.
 */
export async function writeCheckpoint(directory: string, model: WrittenModel): Promise<void> {
  await mkdir(directory, { recursive: true })
  for (const [name, bytes] of Object.entries(checkpointFiles(model)))
    await writeFile(join(directory, name), bytes)
}

/** The files of such a checkpoint, by their names. */
export function checkpointFiles(model: WrittenModel): Readonly<Record<string, Uint8Array>> {
  const preprocessor = preprocessorOf(model.preparation)
  const json = (value: unknown) => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)
  return {
    'model.safetensors': encodeTensors(tensorsOf(model), { format: 'pt' }),
    ...(preprocessor && { 'preprocessor_config.json': json(preprocessor) }),
    'config.json': json({ ...configOf(model.architecture), ...labelsOf(model.labels), dtype: 'float32' }),
  }
}

/** The tensors of the checkpoint, in the published names and order of axes. */
function tensorsOf({
  architecture,
  parameters,
  labels,
}: WrittenModel): Readonly<Record<string, WritableTensor>> {
  const own = withPublishedHeads(parameters, architecture)
  const layers = publishedLayers(architecture, labels.length)
  return Object.fromEntries([
    ...countersOf(layers),
    ...publishedTensors(layers).map((published): readonly [string, WritableTensor] => {
      const { name, shape, axes, tensor } = published
      const values = own[name]?.values
      if (!values) throw new Error(`the parameters lack "${name}"`)
      return [
        tensor,
        { dtype: 'F32', shape: tensorShape(published), values: permuted(values, shape, inverse(axes)) },
      ]
    }),
  ])
}

/**
 * The counters of batches that transformers keeps beside the statistics of batch norms. They are 0:
 * with the usual momentum nothing reads them.
 */
function countersOf(layers: readonly Layer[]): readonly (readonly [string, WritableTensor])[] {
  return flattenLayers(layers).flatMap(({ kind, name }) =>
    kind === 'batch-norm'
      ? [[`${name}.num_batches_tracked`, { dtype: 'I64', shape: [], values: new Float64Array(1) }] as const]
      : [],
  )
}

/** `config.json` in transformers' vocabulary. */
function configOf(architecture: Architecture): Readonly<Record<string, unknown>> {
  if (architecture.kind === 'resnet')
    return {
      architectures: ['ResNetForImageClassification'],
      model_type: 'resnet',
      num_channels: architecture.channels,
      embedding_size: architecture.embedding,
      hidden_sizes: architecture.widths,
      depths: architecture.depths,
      layer_type: architecture.block,
      hidden_act: 'relu',
      downsample_in_first_stage: architecture.downsampleInFirstStage,
      downsample_in_bottleneck: architecture.downsampleInBottleneck,
    }
  const { family, image, activation, distilled } = architecture
  const [height, width] = image
  const name = family === 'vit' ? 'ViT' : 'DeiT'
  return {
    architectures: [`${name}ForImageClassification${distilled ? 'WithTeacher' : ''}`],
    model_type: family,
    image_size: height === width ? height : image,
    patch_size: architecture.patch,
    num_channels: architecture.channels,
    hidden_size: architecture.width,
    num_hidden_layers: architecture.layers,
    num_attention_heads: architecture.heads,
    intermediate_size: architecture.mlp,
    hidden_act: activation === 'gelu-tanh' ? 'gelu_pytorch_tanh' : activation,
    layer_norm_eps: architecture.epsilon,
    qkv_bias: architecture.qkvBias,
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
  }
}

function labelsOf(labels: readonly string[]) {
  return {
    id2label: Object.fromEntries(labels.map((label, i) => [String(i), label])),
    label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
  }
}

/** Pillow's numbers of its filters. */
const resample = { nearest: 0, bilinear: 2, bicubic: 3 } as const

/**
 * The contents of `preprocessor_config.json`; undefined without normalisation. ViT's processor
 * resizes images, DeiT's also crops them.
 */
function preprocessorOf({
  resize,
  crop,
  filter,
  normalise,
}: Preparation): Readonly<Record<string, unknown>> | undefined {
  if (!normalise) return undefined
  const sides = ([height, width]: readonly [number, number]) => ({ height, width })
  const isDeit = crop !== undefined || (resize !== undefined && 'shortestEdge' in resize)
  return {
    image_processor_type: isDeit ? 'DeiTImageProcessor' : 'ViTImageProcessor',
    do_resize: resize !== undefined,
    ...(resize && {
      size: 'to' in resize ? sides(resize.to) : { shortest_edge: resize.shortestEdge },
    }),
    resample: resample[filter],
    ...(isDeit && { do_center_crop: crop !== undefined }),
    ...(crop && { crop_size: sides(crop) }),
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: normalise.mean,
    image_std: normalise.deviation,
  }
}
