import { z } from 'zod'
import { count, fraction } from './numbers.ts'

/** The options of the section `training` that make deletions by `replay` possible and cheap. */

export const replaySchema = z
  .strictObject({
    checkpoints: count
      .max(256)
      .default(8)
      .describe('number of kept states; they divide the first epoch that reads the samples into equal parts'),
  })
  .describe('the original keeps states of its training, from which the method `replay` continues')

export const orderSchema = z
  .strictObject({
    name: z.literal('risky-last'),
    classes: z
      .array(z.union([z.int().min(0), z.string()]))
      .min(1)
      .optional()
      .describe('the classes whose samples come late, by index or name; instead of `indices`'),
    indices: z
      .array(z.int().min(0))
      .min(1)
      .optional()
      .describe('the numbers of the samples that come late, as in `split`; instead of `classes`'),
    last: fraction.default(0.25).describe('share of the steps, at the end, that reads the late samples'),
  })
  .describe('samples that are likely to be deleted are read in the last part of the training only')

export type OrderSpec = z.output<typeof orderSchema>
