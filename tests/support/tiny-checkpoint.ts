import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeTensors, type WritableTensor } from '../../artifacts/format/safetensors.ts'
import { publishedTensors, tensorShape } from '../../pretrained/published.ts'
import type { Architecture, ResnetArchitecture, VitArchitecture } from '../../experiment/models/pretrained.ts'
import { architectureLayers } from '../../experiment/models/model.ts'
import { stream } from '../../learning/random.ts'

/** Tiny checkpoints with random weights, in the layout of published ones. */

export const tinyVit: VitArchitecture = {
  kind: 'vit',
  family: 'vit',
  image: [8, 8],
  patch: 4,
  channels: 3,
  width: 12,
  layers: 2,
  heads: 2,
  mlp: 16,
  activation: 'gelu',
  epsilon: 1e-6,
  qkvBias: true,
  distilled: false,
}

export const tinyResnet: ResnetArchitecture = {
  kind: 'resnet',
  channels: 3,
  embedding: 4,
  widths: [4, 8],
  depths: [1, 1],
  block: 'basic',
  downsampleInFirstStage: false,
  downsampleInBottleneck: false,
}

/** config.json of these, as transformers writes it. */
export function configOf(architecture: Architecture): Record<string, unknown> {
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
  const kind = architecture.family === 'vit' ? 'ViT' : 'DeiT'
  return {
    architectures: [`${kind}ForImageClassification${architecture.distilled ? 'WithTeacher' : ''}`],
    model_type: architecture.family,
    image_size: architecture.image[0],
    patch_size: architecture.patch,
    num_channels: architecture.channels,
    hidden_size: architecture.width,
    num_hidden_layers: architecture.layers,
    num_attention_heads: architecture.heads,
    intermediate_size: architecture.mlp,
    hidden_act: architecture.activation === 'gelu-tanh' ? 'gelu_new' : architecture.activation,
    layer_norm_eps: architecture.epsilon,
    qkv_bias: architecture.qkvBias,
  }
}

/** All tensors, by published name. Variances are positive. */
export function tensorsOf(
  architecture: Architecture,
  classes = 10,
  seed = 1,
): Record<string, WritableTensor> {
  const random = stream(seed, 'checkpoint')
  return Object.fromEntries(
    publishedTensors(architectureLayers(architecture, classes)).map((published) => {
      const shape = tensorShape(published)
      const size = shape.reduce((product, side) => product * side, 1)
      const isVariance = published.name.endsWith('.variance')
      const values = Float32Array.from({ length: size }, () =>
        isVariance ? 0.5 + random.uniform() : 0.3 * random.normal(),
      )
      return [published.tensor, { dtype: 'F32', shape, values }]
    }),
  )
}

/** Writes one; what is given takes the place of what it would have. */
export function writeCheckpoint(
  directory: string,
  architecture: Architecture,
  {
    tensors = tensorsOf(architecture),
    config = configOf(architecture),
    preprocessor,
  }: {
    readonly tensors?: Readonly<Record<string, WritableTensor>>
    readonly config?: Readonly<Record<string, unknown>>
    readonly preprocessor?: Readonly<Record<string, unknown>>
  } = {},
): string {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'config.json'), JSON.stringify(config))
  writeFileSync(join(directory, 'model.safetensors'), encodeTensors(tensors, { format: 'pt' }))
  if (preprocessor) writeFileSync(join(directory, 'preprocessor_config.json'), JSON.stringify(preprocessor))
  return directory
}
