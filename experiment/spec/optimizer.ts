import { z } from 'zod'
import { count, fraction, positive } from './numbers.ts'

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
  z
    .strictObject({
      name: z.literal('linear'),
      from: z.number().min(0).max(1).default(0).describe('factor of the learning rate at the start'),
      peak: z.number().min(0).lt(1).default(0).describe('the fraction of the run where the factor is 1'),
      to: z.number().min(0).max(1).default(0).describe('factor at the end'),
    })
    .describe('rises linearly from the factor `from` to 1 at `peak`, and falls linearly to `to`'),
])

/** Weights that are averaged during a training. */
export const lookaheadSchema = z.strictObject({
  every: count.default(5).describe('steps between two averages'),
  decay: fraction
    .default(0.95)
    .describe('after t of T steps the average keeps the share decay^every · (t/T)³ of its value'),
})

const groups = z
  .array(
    z.strictObject({
      layers: z.array(z.string().min(1)).min(1).describe('names of layers; * matches anything'),
      rate: z
        .number()
        .min(0)
        .optional()
        .describe('multiplies the learning rate, not the weight decay; 1 unless given'),
      until: fraction
        .optional()
        .describe('the fraction of the run from which the parameters keep their values'),
    }),
  )
  .min(1)
  .optional()
  .describe('layers with another learning rate; the first group that names a layer applies to it')

export const optimizerSchema = z.discriminatedUnion('name', [
  z
    .strictObject({
      name: z.literal('adam'),
      learningRate: positive.describe('step size before the schedule'),
      beta1: z.number().min(0).lt(1).default(0.9).describe('decay of the mean of the gradients'),
      beta2: z.number().min(0).lt(1).default(0.999).describe('decay of the mean of their squares'),
      weightDecay: z.number().min(0).default(0).describe('decoupled, as in AdamW'),
      groups,
    })
    .describe('Adam, or AdamW if weightDecay is above 0'),
  z
    .strictObject({
      name: z.literal('sgd'),
      learningRate: positive.describe('step size before the schedule'),
      momentum: z.number().min(0).lt(1).default(0.9).describe('0 is plain stochastic gradient descent'),
      nesterov: z.boolean().default(false).describe('use Nesterov momentum'),
      weightDecay: z.number().min(0).default(0).describe('L2, added to the gradient'),
      groups,
    })
    .describe('stochastic gradient descent with momentum'),
  z
    .strictObject({
      name: z.literal('muon'),
      learningRate: positive.describe('step size of convolutions before the schedule'),
      momentum: z.number().gt(0).lt(1).default(0.6).describe('of convolutions'),
      nesterov: z.boolean().default(true).describe('use Nesterov momentum for convolutions'),
      others: z
        .strictObject({
          learningRate: positive.describe('step size before the schedule'),
          momentum: z.number().min(0).lt(1).default(0.85).describe('0 is plain stochastic gradient descent'),
          nesterov: z.boolean().default(true).describe('use Nesterov momentum'),
          weightDecay: z.number().min(0).default(0).describe('L2, added to the gradient'),
        })
        .describe('stochastic gradient descent for all other parameters'),
      groups,
    })
    .describe(
      'Muon: orthogonalised momentum for the kernels of convolutions, which are kept at the norm √out',
    ),
])

export type OptimizerSpec = z.output<typeof optimizerSchema>
export type ParameterGroup = NonNullable<OptimizerSpec['groups']>[number]
export type LookaheadSpec = z.output<typeof lookaheadSchema>
export type ScheduleSpec = z.output<typeof scheduleSchema>
