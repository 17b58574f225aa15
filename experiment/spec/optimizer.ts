import { z } from 'zod'
import { positive } from './numbers.ts'

/** Learning rate schedules over the steps of a training. */
export const scheduleSchema = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('constant') }).describe('the learning rate stays as it is'),
  z.strictObject({ name: z.literal('cosine') }).describe('from the learning rate to 0 along half a cosine'),
  z
    .strictObject({
      name: z.literal('step'),
      milestones: z.array(z.number().gt(0).lt(1)).min(1).describe('fractions of the run, ascending'),
      factor: positive.max(1).default(0.1).describe('multiplies the learning rate at each milestone'),
    })
    .describe('multiplied by `factor` at each milestone, a fraction of the run'),
])

export const optimizerSchema = z.discriminatedUnion('name', [
  z
    .strictObject({
      name: z.literal('adam'),
      learningRate: positive.describe('step size before the schedule'),
      beta1: z.number().min(0).lt(1).default(0.9).describe('decay of the mean of the gradients'),
      beta2: z.number().min(0).lt(1).default(0.999).describe('decay of the mean of their squares'),
      weightDecay: z.number().min(0).default(0).describe('decoupled, as in AdamW'),
    })
    .describe('Adam, or AdamW if weightDecay is above 0'),
  z
    .strictObject({
      name: z.literal('sgd'),
      learningRate: positive.describe('step size before the schedule'),
      momentum: z.number().min(0).lt(1).default(0.9).describe('0 is plain stochastic gradient descent'),
      nesterov: z.boolean().default(false).describe('use Nesterov momentum'),
      weightDecay: z.number().min(0).default(0).describe('L2, added to the gradient'),
    })
    .describe('stochastic gradient descent with momentum'),
])

export type OptimizerSpec = z.output<typeof optimizerSchema>
export type ScheduleSpec = z.output<typeof scheduleSchema>
