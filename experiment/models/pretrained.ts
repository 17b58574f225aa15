import { z } from 'zod'

/**
 * A pre-trained checkpoint as plain data: its architecture, how it wants images, and which files it is. Read from
 * the files beside its weights (learning/checkpoint) before any work starts, and part of the spec from then on.
 */

/**
 * No published image classifier comes near; a file may claim anything, and every layer of it is
 * listed before it is read.
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
  /** Whether DeiT's distillation token is classified too: the logits are then the mean of two heads. */
  distilled: z.boolean(),
})

/** Residual networks (He et al. 2016) in the form of transformers' `ResNetForImageClassification`. */
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

/** What becomes of an image [h, w, c] of bytes before the model sees it, in this order. */
const preparationSchema = z.strictObject({
  /** To a size, or by the shorter edge; absent where images stay as they are. */
  resize: z.union([z.strictObject({ to: size }), z.strictObject({ shortestEdge: count })]).optional(),
  filter: z.enum(['nearest', 'bilinear', 'bicubic']),
  /** The middle of the resized image. */
  crop: size.optional(),
  /** Per channel, in units of white = 1; absent where the data set's own are taken. */
  normalise: z
    .strictObject({ mean: z.array(z.number()), deviation: z.array(z.number().positive()) })
    .optional(),
})

export const checkpointSchema = z.strictObject({
  architecture: z.discriminatedUnion('kind', [vitSchema, resnetSchema]),
  /** Of the checkpoint's own head; 0 where it has none. */
  classes: z.int().min(0),
  preparation: preparationSchema,
  files: z.array(z.strictObject({ name: z.string(), sha256: z.string(), bytes: z.int().min(0) })),
})

export type CheckpointFacts = z.output<typeof checkpointSchema>
export type Architecture = CheckpointFacts['architecture']
export type VitArchitecture = z.output<typeof vitSchema>
export type ResnetArchitecture = z.output<typeof resnetSchema>
export type Preparation = z.output<typeof preparationSchema>
