import { z } from 'zod'
import { count, positive } from './numbers.ts'
import { lookaheadSchema, optimizerSchema, scheduleSchema } from './optimizer.ts'
import { orderSchema, replaySchema } from './replay.ts'

/** The section `training` of a config. */
export const trainingSchema = z.strictObject({
  epochs: positive.describe('passes over the training samples; may be a fraction'),
  batchSize: count.default(128).describe('samples in a batch'),
  optimizer: optimizerSchema
    .prefault({ name: 'adam', learningRate: 1e-3 })
    .describe('computes the updates from the gradients'),
  schedule: scheduleSchema
    .default({ name: 'cosine' })
    .describe('how the learning rate changes over the steps'),
  warmupEpochs: z.number().min(0).default(0).describe('the learning rate grows linearly from 0'),
  labelSmoothing: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe('share of the probability that is spread evenly over all classes in the training target'),
  augment: z
    .strictObject({
      crop: z.int().min(0).max(16).default(0).describe('padding in pixels before a random crop'),
      padding: z
        .enum(['zero', 'reflect'])
        .optional()
        .describe('zeros, unless reflect mirrors the image at its edges'),
      flip: z
        .union([z.boolean(), z.literal('alternating')])
        .default(false)
        .describe(
          'left to right, half of the time; alternating flips a random half of the images in the first epoch, and then each image in every other epoch',
        ),
    })
    .prefault({})
    .describe('random changes of the images in training'),
  lookahead: lookaheadSchema
    .optional()
    .describe('averages the weights during the training (Zhang et al. 2019); not done unless given'),
  accuracy: z
    .strictObject({
      every: count.default(1).describe('epochs between two measurements'),
      samples: count
        .default(1000)
        .describe('training samples that are measured, and validation samples: drawn once if there are more'),
    })
    .optional()
    .describe(
      'measures the accuracy of the original and gold in training; their weights stay the same, their keys do not',
    ),
  replay: replaySchema.optional(),
  order: orderSchema.optional(),
  // The transformation makes `all` absent, so that it changes no key.
  tune: z
    .discriminatedUnion('what', [
      z.strictObject({ what: z.literal('all') }).describe('every parameter'),
      z.strictObject({ what: z.literal('head') }).describe('the last layer alone (a linear probe)'),
      z
        .strictObject({
          what: z.literal('lora'),
          rank: count.default(8).describe('rank r of the adapters'),
          alpha: z.number().positive().optional().describe('rank unless given'),
          rslora: z.boolean().default(false).describe('scale by α/√r instead of α/r'),
          layers: z
            .array(z.string().min(1))
            .min(1)
            .default(['*'])
            .describe('names of the layers to adapt; * matches anything'),
        })
        .describe('adapters, merged when trained, and the last layer'),
    ])
    .transform((tune) => (tune.what === 'all' ? undefined : tune))
    .optional()
    .describe('the part of a pre-trained model that is trained; every parameter unless given'),
})

/** How the accuracy of a model in training is measured. */
export type AccuracySpec = NonNullable<z.output<typeof trainingSchema>['accuracy']>

export type TrainingSpec = z.output<typeof trainingSchema>
