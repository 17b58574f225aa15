import { z } from 'zod'
import { positive } from './numbers.ts'

/** Learning rate schedules over the steps of a training. */
export const scheduleSchema = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('constant') }),
  z.strictObject({ name: z.literal('cosine') }).describe('from the learning rate to 0 along half a cosine'),
  z
    .strictObject({
      name: z.literal('step'),
      milestones: z.array(z.number().gt(0).lt(1)).min(1),
      factor: positive.max(1).default(0.1),
    })
    .describe('multiplied by `factor` at each milestone, a fraction of the run'),
])

export const optimizerSchema = z.discriminatedUnion('name', [
  z.strictObject({
    name: z.literal('adam'),
    learningRate: positive,
    beta1: z.number().min(0).lt(1).default(0.9),
    beta2: z.number().min(0).lt(1).default(0.999),
    weightDecay: z.number().min(0).default(0).describe('decoupled, as in AdamW'),
  }),
  z.strictObject({
    name: z.literal('sgd'),
    learningRate: positive,
    momentum: z.number().min(0).lt(1).default(0.9),
    nesterov: z.boolean().default(false),
    weightDecay: z.number().min(0).default(0).describe('L2, added to the gradient'),
  }),
])

export type OptimizerSpec = z.output<typeof optimizerSchema>
export type ScheduleSpec = z.output<typeof scheduleSchema>
