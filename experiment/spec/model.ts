import { z } from 'zod'
import { checkpointSchema } from '../models/pretrained.ts'
import { layerListSchema } from './layer-list.ts'
import { pluginOptionsSchema, pluginRefSchema } from './plugin.ts'
import { externalModelSchema } from './program.ts'

/** The models and their options: the section `model` of a config. */

const width = z.int().min(1).max(4096)

export const modelSchemas = [
  z
    .strictObject({
      name: z.literal('mlp'),
      hidden: z.array(width).min(1).default([64, 64]).describe('units of each hidden layer'),
    })
    .describe('fully connected layers with ReLU'),
  z
    .strictObject({
      name: z.literal('cnn'),
      channels: z.tuple([width, width]).default([16, 32]).describe('channels of the two conv blocks'),
      hidden: width.default(64).describe('units of the hidden linear layer'),
    })
    .describe('two conv blocks (3×3, ReLU, 2×2 max pooling) and two linear layers'),
  z
    .strictObject({
      name: z.literal('resnet-cifar'),
      depth: z
        .union([z.literal('resnet18'), z.int().min(8).max(56)])
        .default(20)
        .describe('number of layers, 6n + 2, or the four stages of ResNet-18'),
      width: width.optional().describe('channels of the first stage: 16, or 64 for resnet18, unless given'),
    })
    .describe('residual networks with a 3×3 stem: depth 6n + 2, or resnet18'),
  z
    .strictObject({
      name: z.literal('airbench'),
      widths: z
        .tuple([width, width, width])
        .default([64, 256, 256])
        .describe('channels of the three groups of two convolutions'),
    })
    .describe("the GELU network of K. Jordan's airbench, for images of at least 25×25 pixels"),
  z
    .strictObject({
      name: z.literal('pretrained'),
      from: z
        .string()
        .min(1)
        .optional()
        .describe('the checkpoint: a directory, s3://bucket/prefix or hf://owner/name@revision'),
      head: z
        .enum(['auto', 'new'])
        .default('auto')
        .describe("auto keeps the checkpoint's head where it has as many classes as the data"),
      checkpoint: checkpointSchema
        .optional()
        .describe("what the checkpoint's files say; filled in when they are read"),
    })
    .describe('a ViT, DeiT or ResNet image classifier in the layout of Hugging Face checkpoints'),
] as const

/** A model that a plug-in defines. Keys have its layers alone, which decide everything. */
const pluginModelSchema = z.strictObject({
  name: z.literal('plugin'),
  plugin: pluginRefSchema.optional(),
  options: pluginOptionsSchema.optional(),
  /** Filled in when the shape of the data is known. */
  layers: layerListSchema.optional(),
})

export const modelSchema = z.discriminatedUnion('name', [...modelSchemas, pluginModelSchema])
/** A model whose layers are known, so that it is trained here. */
export type ModelSpec = z.output<typeof modelSchema>

/** The model of an experiment: one that is trained here, or one of an external program. */
export const anyModelSchema = z.discriminatedUnion('name', [
  ...modelSchemas,
  externalModelSchema,
  pluginModelSchema,
])
export type AnyModelSpec = z.output<typeof anyModelSchema>

/** The models that a config may name without a plug-in. */
export const builtInModelSchemas = [...modelSchemas, externalModelSchema] as const

/** The name of a model for people. */
export function modelName(model: AnyModelSpec): string {
  return model.name === 'plugin' ? (model.plugin?.name ?? model.name) : model.name
}
