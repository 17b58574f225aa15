import { z } from 'zod'
import { count, positive } from './numbers.ts'
import { optimizerSchema, scheduleSchema } from './optimizer.ts'

/** Options that several methods share. Plug-ins may use them too. */

export const patterns = z.array(z.string().min(1)).min(1)

export const SCHEDULE = 'how the learning rate changes over the steps'
export const BATCH = 'samples in a batch'
export const OPTIMIZER = 'computes the updates from the gradients'

/**
 * Options of every method that trains by epochs. Options that are left out come from the section
 * `training`.
 */
export const epochOptions = {
  epochs: positive.describe('may be a fraction: 0.5 is half a pass'),
  batchSize: count
    .optional()
    .describe("samples in a batch; the experiment's training.batchSize unless given"),
  optimizer: optimizerSchema.optional().describe("the experiment's training.optimizer unless given"),
  schedule: scheduleSchema.default({ name: 'constant' }).describe(SCHEDULE),
}

/** The same options with the defaults of the method's paper. */
export const epochDefaults = (
  epochs: number,
  batchSize: number,
  optimizer: z.input<typeof optimizerSchema>,
) => ({
  epochs: epochOptions.epochs.default(epochs),
  batchSize: count.default(batchSize).describe(BATCH),
  optimizer: optimizerSchema.prefault(optimizer).describe(OPTIMIZER),
  schedule: epochOptions.schedule,
})

/** Options of LoRA adapters. */
export const loraOptions = {
  rank: count.default(4).describe('rank r of the adapters: ΔW = (α/r) B A'),
  alpha: positive.optional().describe('the rank unless given: the adapter then counts once'),
  rslora: z.boolean().default(false).describe('scale by α/√r instead of α/r'),
  layers: patterns
    .default(['*'])
    .describe('names of the linear and conv layers to adapt; * matches anything'),
}
