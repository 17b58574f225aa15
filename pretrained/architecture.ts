import { join } from 'node:path'
import { z } from 'zod'
import { MOST_LAYERS, MOST_STAGES, MOST_WIDTH, type Architecture } from '../experiment/models/pretrained.ts'
import { checkpointError, readJsonFile } from './json-file.ts'

/**
 * The contents of `config.json` in transformers' vocabulary, with its defaults. Fields for other
 * purposes are ignored. Every field that would change the forward pass is read or refused.
 */

const count = z.int().min(1).max(MOST_WIDTH)
const layers = z.int().min(1).max(MOST_LAYERS)
const sides = z.union([count.transform((side) => [side, side] as const), z.tuple([count, count])])

const vit = z.looseObject({
  model_type: z.enum(['vit', 'deit']),
  architectures: z.array(z.string()).optional(),
  hidden_size: count.default(768),
  num_hidden_layers: layers.default(12),
  num_attention_heads: count.default(12),
  intermediate_size: count.default(3072),
  hidden_act: z.string().default('gelu'),
  layer_norm_eps: z.number().positive().default(1e-12),
  image_size: sides.default([224, 224]),
  patch_size: sides.default([16, 16]),
  num_channels: count.default(3),
  qkv_bias: z.boolean().default(true),
})

const resnet = z.looseObject({
  model_type: z.literal('resnet'),
  architectures: z.array(z.string()).optional(),
  num_channels: count.default(3),
  embedding_size: count.default(64),
  hidden_sizes: z.array(count).min(1).max(MOST_STAGES).default([256, 512, 1024, 2048]),
  depths: z.array(layers).min(1).max(MOST_STAGES).default([3, 4, 6, 3]),
  layer_type: z.enum(['basic', 'bottleneck']).default('bottleneck'),
  hidden_act: z.string().default('relu'),
  downsample_in_first_stage: z.boolean().default(false),
  downsample_in_bottleneck: z.boolean().default(false),
})

/** An architecture, with the prefix of its tensors' names. */
export interface DescribedModel {
  readonly architecture: Architecture
  /** The prefix of all tensors but the head's. A checkpoint of the encoder alone omits it. */
  readonly prefix: string
}

const classifiers: Readonly<Record<string, readonly string[]>> = {
  vit: ['ViTForImageClassification', 'ViTModel'],
  deit: ['DeiTForImageClassification', 'DeiTForImageClassificationWithTeacher', 'DeiTModel'],
  resnet: ['ResNetForImageClassification', 'ResNetModel'],
}

const activations: Readonly<Record<string, 'gelu' | 'gelu-tanh' | 'relu'>> = {
  gelu: 'gelu',
  gelu_new: 'gelu-tanh',
  gelu_pytorch_tanh: 'gelu-tanh',
  relu: 'relu',
}

/** Reads `config.json`. Throws a UserError that names unsupported settings. */
export async function readArchitecture(directory: string): Promise<DescribedModel> {
  const file = join(directory, 'config.json')
  const kind = await readJsonFile(file, z.looseObject({ model_type: z.string().optional() }))
  if (!kind)
    throw checkpointError(
      `${file} is missing; expected a checkpoint in the layout of Hugging Face's transformers`,
    )
  const known = classifiers[kind.model_type ?? '']
  if (!known)
    throw checkpointError(
      `${file}: the model_type ${JSON.stringify(kind.model_type) ?? 'is missing:'} is not known here; ` +
        `expected one of ${Object.keys(classifiers).join(', ')}`,
    )
  const described = kind.model_type === 'resnet' ? await readResnet(file) : await readVit(file)
  const strange = described.architectures?.find((name) => !known.includes(name))
  if (strange !== undefined)
    throw checkpointError(
      `${file}: the architecture ${strange} is no image classifier that is known here; expected ${known.join(' or ')}`,
    )
  return described
}

type Read = DescribedModel & { readonly architectures: readonly string[] | undefined }

async function readVit(file: string): Promise<Read> {
  const config = await readJsonFile(file, vit)
  if (!config) throw checkpointError(`${file} is missing`)
  const {
    model_type: family,
    architectures,
    hidden_size: width,
    patch_size: patch,
    image_size: image,
  } = config
  const activation = activations[config.hidden_act]
  const refuse = (what: string) => checkpointError(`${file}: ${what}`)
  if (!activation) throw unknownActivation(file, config.hidden_act, Object.keys(activations))
  if (patch[0] !== patch[1]) throw refuse(`patch_size is [${patch.join(', ')}], and patches are square here`)
  if (image.some((side) => side < patch[0]))
    throw refuse(`image_size [${image.join(', ')}] is smaller than a patch of ${patch[0]}`)
  if (width % config.num_attention_heads !== 0)
    throw refuse(`hidden_size ${width} is no multiple of num_attention_heads ${config.num_attention_heads}`)
  const distilled = architectures?.includes('DeiTForImageClassificationWithTeacher') ?? false
  return {
    architectures,
    prefix: `${family}.`,
    architecture: {
      kind: 'vit',
      family,
      image: [...image],
      patch: patch[0],
      channels: config.num_channels,
      width,
      layers: config.num_hidden_layers,
      heads: config.num_attention_heads,
      mlp: config.intermediate_size,
      activation,
      epsilon: config.layer_norm_eps,
      qkvBias: config.qkv_bias,
      distilled,
    },
  }
}

async function readResnet(file: string): Promise<Read> {
  const config = await readJsonFile(file, resnet)
  if (!config) throw checkpointError(`${file} is missing`)
  const { hidden_sizes: widths, depths, hidden_act: activation } = config
  if (activation !== 'relu') throw unknownActivation(file, activation, ['relu'])
  if (widths.length !== depths.length)
    throw checkpointError(`${file}: hidden_sizes names ${widths.length} stages, and depths ${depths.length}`)
  return {
    architectures: config.architectures,
    prefix: 'resnet.',
    architecture: {
      kind: 'resnet',
      channels: config.num_channels,
      embedding: config.embedding_size,
      widths,
      depths,
      block: config.layer_type,
      downsampleInFirstStage: config.downsample_in_first_stage,
      downsampleInBottleneck: config.downsample_in_bottleneck,
    },
  }
}

function unknownActivation(file: string, found: string, known: readonly string[]) {
  return checkpointError(`${file}: the hidden_act "${found}" is not known here; expected ${known.join(', ')}`)
}
