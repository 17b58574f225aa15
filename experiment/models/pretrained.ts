import { z } from 'zod'

/**
 * A pre-trained checkpoint as plain data: its architecture, the preparation of its images, and its
 * files. They are read from the files beside the weights (pretrained/) before any work starts, and
 * are then part of the spec.
 */

/**
 * Limits far above every published image classifier. They bound the memory for the list of layers,
 * which is made before the weights are read, whatever a file claims.
 */
export const MOST_LAYERS = 1000
export const MOST_STAGES = 32
export const MOST_WIDTH = 2 ** 20

const count = z.int().min(1).max(MOST_WIDTH)
const layers = z.int().min(1).max(MOST_LAYERS)
const size = z.tuple([count, count]).describe('height and width in pixels')

/** Vision transformers: ViT (Dosovitskiy et al. 2021) and DeiT (Touvron et al. 2021). */
const vitSchema = z.strictObject({
  kind: z.literal('vit'),
  family: z.enum(['vit', 'deit']),
  image: size,
  patch: count,
  channels: count,
  width: count,
  layers,
  heads: count,
  mlp: count,
  activation: z.enum(['gelu', 'gelu-tanh', 'relu']),
  epsilon: z.number().positive(),
  qkvBias: z.boolean(),
  /**
   * Whether DeiT's distillation token is classified too. The logits are then the mean of two heads.
   */
  distilled: z.boolean(),
})

/**
 * Residual networks (He et al. 2016) in the form of transformers' `ResNetForImageClassification`.
 */
const resnetSchema = z.strictObject({
  kind: z.literal('resnet'),
  channels: count,
  embedding: count,
  widths: z.array(count).min(1).max(MOST_STAGES),
  depths: z.array(layers).min(1).max(MOST_STAGES),
  block: z.enum(['basic', 'bottleneck']),
  downsampleInFirstStage: z.boolean(),
  downsampleInBottleneck: z.boolean(),
})

/** The steps that prepare an image [h, w, c] of bytes for the model, in this order. */
const preparationSchema = z.strictObject({
  /** Resizes to a size or by the shorter edge. Absent if images keep their size. */
  resize: z.union([z.strictObject({ to: size }), z.strictObject({ shortestEdge: count })]).optional(),
  filter: z.enum(['nearest', 'bilinear', 'bicubic']),
  /** Crops the centre of the resized image. */
  crop: size.optional(),
  /** Statistics per channel, in units of white = 1. Absent if those of the data set are used. */
  normalise: z
    .strictObject({ mean: z.array(z.number()), deviation: z.array(z.number().positive()) })
    .optional(),
})

export const checkpointSchema = z.strictObject({
  architecture: z.discriminatedUnion('kind', [vitSchema, resnetSchema]),
  /** The number of classes of the checkpoint's own head. 0 if it has none. */
  classes: z.int().min(0),
  preparation: preparationSchema,
  files: z.array(z.strictObject({ name: z.string(), sha256: z.string(), bytes: z.int().min(0) })),
})

export type CheckpointFacts = z.output<typeof checkpointSchema>
export type Architecture = CheckpointFacts['architecture']
export type VitArchitecture = z.output<typeof vitSchema>
export type ResnetArchitecture = z.output<typeof resnetSchema>
export type Preparation = z.output<typeof preparationSchema>
