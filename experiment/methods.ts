import { z } from 'zod'

/**
 * The unlearning methods and their options: the vocabulary of a config's `methods` list.
 * Each entry's algorithm is `unlearning/methods/<name>.ts`.
 */

const positive = z.number().positive()
const count = z.int().min(1)
const patterns = z.array(z.string().min(1)).min(1)

/** Learning rate schedules, in steps of the run that they govern. */
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

/** What every method trained by epochs takes; what is left out comes from the experiment's `training`. */
const epochOptions = {
  epochs: positive.describe('may be a fraction: 0.5 is half a pass'),
  batchSize: count.optional(),
  optimizer: optimizerSchema.optional(),
  schedule: scheduleSchema.default({ name: 'constant' }),
}

const label = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9 ._=+-]{0,63}$/, 'letters, digits, spaces and . _ = + - only, 64 at most')
  .optional()
  .describe("the row's name in tables; the method's name unless given")

/** Shift targets t_l of residual feature alignment (see unlearning/methods/rfa.ts). */
export const targetNames = ['retained-mean', 'random-retained', 'nearest-centroid'] as const
export type TargetName = (typeof targetNames)[number]

export const methodSchemas = [
  z.strictObject({ method: z.literal('original'), label }).describe('no-op: the model trained on everything'),
  z
    .strictObject({ method: z.literal('retrain'), label })
    .describe('gold: a model trained from scratch on the retained set'),
  z
    .strictObject({ method: z.literal('finetune'), label, ...epochOptions })
    .describe('training goes on, on the retained set alone'),
  z
    .strictObject({ method: z.literal('random-label'), label, ...epochOptions })
    .describe('fine-tuning on the retained set and on the forget set under random other labels'),
  z
    .strictObject({ method: z.literal('gradient-ascent'), label, ...epochOptions })
    .describe('ascent of the loss on the forget set'),
  z
    .strictObject({
      method: z.literal('rfa'),
      label,
      target: z.enum(targetNames).default('random-retained'),
      rank: count.default(4),
      alpha: positive.optional().describe('the rank unless given: the adapter then counts once'),
      rslora: z.boolean().default(false).describe('scale by α/√r instead of α/r'),
      layers: patterns
        .default(['*'])
        .describe('names of the linear and conv layers to adapt; * matches anything'),
      align: patterns
        .optional()
        .describe('names of the layers whose outputs are aligned; the adapted ones unless given'),
      lambda: positive.default(1).describe('weight of the forget set in the loss'),
      steps: count.default(100),
      optimizer: optimizerSchema.prefault({ name: 'adam', learningRate: 1e-3 }),
      schedule: scheduleSchema.default({ name: 'constant' }),
      forgetBatch: count.default(64),
      retainedBatch: count.default(192),
      retainedSamples: count.default(4000).describe('retained samples drawn once, whose features are kept'),
    })
    .describe('residual feature alignment with LoRA (arXiv 2411.08443)'),
] as const

export const methodSchema = z.discriminatedUnion('method', methodSchemas)

export type MethodSpec = z.output<typeof methodSchema>
export type MethodName = MethodSpec['method']
export type ApproximateMethodSpec = Exclude<MethodSpec, { method: 'original' | 'retrain' }>
export type ApproximateMethodName = ApproximateMethodSpec['method']
export type OptimizerSpec = z.output<typeof optimizerSchema>
export type ScheduleSpec = z.output<typeof scheduleSchema>
export type MethodSpecOf<N extends MethodName> = Extract<MethodSpec, { method: N }>
