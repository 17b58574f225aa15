import { z } from 'zod'
import { count } from './numbers.ts'
import { optimizerSchema, scheduleSchema } from './optimizer.ts'

/** The section `training` of a config. */
export const trainingSchema = z.strictObject({
  epochs: count,
  batchSize: count.default(128),
  optimizer: optimizerSchema.prefault({ name: 'adam', learningRate: 1e-3 }),
  schedule: scheduleSchema.default({ name: 'cosine' }),
  warmupEpochs: z.number().min(0).default(0).describe('the learning rate grows linearly from 0'),
  labelSmoothing: z.number().min(0).lt(1).default(0),
  augment: z
    .strictObject({
      crop: z.int().min(0).max(16).default(0).describe('zero padding in pixels before a random crop'),
      flip: z.boolean().default(false).describe('left to right, half of the time'),
    })
    .prefault({}),
  // The transformation makes `all` absent, so that it changes no key.
  tune: z
    .discriminatedUnion('what', [
      z.strictObject({ what: z.literal('all') }).describe('every parameter'),
      z.strictObject({ what: z.literal('head') }).describe('the last layer alone (a linear probe)'),
      z
        .strictObject({
          what: z.literal('lora'),
          rank: count.default(8),
          alpha: z.number().positive().optional().describe('rank unless given'),
          rslora: z.boolean().default(false),
          layers: z.array(z.string().min(1)).min(1).default(['*']),
        })
        .describe('adapters, merged when trained, and the last layer'),
    ])
    .transform((tune) => (tune.what === 'all' ? undefined : tune))
    .optional()
    .describe('what of a pre-trained model is trained; all of it unless given'),
})

export type TrainingSpec = z.output<typeof trainingSchema>
