import { z } from 'zod'
import { deleteAbout, deleteOptions } from './delete-options.ts'
import { givenRow } from './given.ts'
import {
  BATCH,
  epochDefaults,
  epochOptions,
  loraOptions,
  OPTIMIZER,
  patterns,
  SCHEDULE,
} from './method-options.ts'
import { count, positive } from './numbers.ts'
import { optimizerSchema, scheduleSchema } from './optimizer.ts'
import { label, pluginRowSchema } from './plugin.ts'
import { externalMethodSchema } from './program.ts'
import { builtInTargetSchema, targetSchema } from './target.ts'
import { rowTuneSchema } from './tune.ts'

/**
 * The unlearning methods and their options: the section `methods` of a config. The algorithm of
 * each is `unlearning/methods/<name>.ts`.
 */

export const methodSchemas = [
  z.strictObject({ method: z.literal('original'), label }).describe('no-op: the model trained on everything'),
  z
    .strictObject({ method: z.literal('retrain'), label })
    .describe('gold: a model trained from scratch on the retained set'),
  z
    .strictObject({ method: z.literal('replay'), label })
    .describe(
      'exact: repeats the training from the last kept state without the forget set (after arXiv 2508.12220)',
    ),
  z
    .strictObject({
      method: z.literal('sisa'),
      label,
      shards: count
        .max(64)
        .default(4)
        .describe('number of disjoint parts of the training samples, each with a model of its own'),
      slices: count
        .max(64)
        .default(2)
        .describe('number of parts of a shard, which its model reads one after the other'),
    })
    .describe(
      'exact: several models of disjoint samples, of which a deletion trains some again (Bourtoule et al. 2021)',
    ),
  z
    .strictObject({ method: z.literal('weights'), label, ...givenRow })
    .describe('runs nothing: judges a model, an adapter or logits from elsewhere'),
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
      method: z.literal('neggrad-plus'),
      label,
      alpha: z
        .number()
        .min(0)
        .max(1)
        .default(0.95)
        .describe('weight of descent on the retained set; ascent on the forget set has the rest'),
      ...epochDefaults(5, 256, { name: 'sgd', learningRate: 0.01, weightDecay: 5e-4 }),
    })
    .describe('descent of the loss on the retained set together with ascent on the forget set'),
  z
    .strictObject({
      method: z.literal('l1-sparse'),
      label,
      alpha: z
        .number()
        .min(0)
        .default(5e-4)
        .describe('weight of ‖θ‖₁ at the start, from where it falls linearly to 0'),
      ...epochDefaults(10, 256, { name: 'sgd', learningRate: 0.01, weightDecay: 5e-4 }),
    })
    .describe('fine-tuning on the retained set with a penalty that makes weights sparse'),
  z
    .strictObject({
      method: z.literal('bad-teacher'),
      label,
      retainedFraction: z
        .number()
        .gt(0)
        .max(1)
        .default(0.3)
        .describe('share of the retained set that is used'),
      temperature: positive.default(1).describe('of the softmaxes that are compared'),
      ...epochDefaults(1, 256, { name: 'adam', learningRate: 1e-4 }),
    })
    .describe('follows the original on retained samples and a randomly initialised model on the forget set'),
  z
    .strictObject({
      method: z.literal('scrub'),
      label,
      maxEpochs: count
        .default(2)
        .describe('epochs that begin with a pass away from the original on the forget set'),
      alpha: z
        .number()
        .min(0)
        .default(0.001)
        .describe('weight of the divergence from the original on the retained set'),
      gamma: z.number().min(0).default(0.99).describe('weight of the cross-entropy on the retained set'),
      temperature: positive.default(4).describe('of the softmaxes that are compared'),
      forgetBatch: count.default(512).describe('samples in a batch of the forget set'),
      ...epochDefaults(3, 256, { name: 'sgd', learningRate: 5e-4, weightDecay: 5e-4 }),
      epochs: count.default(3).describe('passes over the retained set'),
      schedule: scheduleSchema
        .optional()
        .describe(
          "how the learning rate changes over the steps; as in the authors' code unless given: a tenth after each of the epochs 3, 5 and 9",
        ),
    })
    .describe('leaves the original on the forget set and stays with it on the retained set, in turns'),
  z
    .strictObject({
      method: z.literal('boundary-shrink'),
      label,
      epsilon: positive
        .max(1)
        .default(0.1)
        .describe("the step that finds the nearest other class, as a share of a pixel's range"),
      ...epochDefaults(10, 64, { name: 'sgd', learningRate: 1e-5 }),
    })
    .describe('fine-tuning on the forget set under the nearest other class'),
  z
    .strictObject({
      method: z.literal('boundary-expand'),
      label,
      ...epochDefaults(10, 64, { name: 'sgd', learningRate: 1e-5 }),
    })
    .describe('fine-tuning on the forget set under a class of its own, which is then cut off'),
  z
    .strictObject({
      method: z.literal('unsir'),
      label,
      noiseSteps: count.default(40).describe('steps in which the noise of each forgotten class is learnt'),
      noiseRate: positive.default(0.1).describe("Adam's learning rate for the noise"),
      noisePenalty: z.number().min(0).default(0.1).describe('weight of ‖noise‖²'),
      noiseBatches: count
        .default(20)
        .describe("how often impairing sees each forgotten class's batch of noise"),
      retainedPerClass: count.default(1000).describe('samples of each retained class that are used'),
      impairEpochs: count.default(1).describe('passes that train on noise and retained samples'),
      repairEpochs: count.default(1).describe('passes that train on retained samples alone'),
      batchSize: count.default(256).describe(BATCH),
      optimizer: optimizerSchema.prefault({ name: 'adam', learningRate: 0.02 }).describe(OPTIMIZER),
      repairRate: positive.default(0.01).describe('learning rate while repairing'),
    })
    .describe('impairs with noise that maximises the loss, then repairs; forgets whole classes only'),
  z
    .strictObject({
      method: z.literal('salun'),
      label,
      share: z
        .number()
        .gt(0)
        .max(1)
        .default(0.5)
        .describe('of the parameters, those with the largest gradient on the forget set, that may change'),
      ...epochDefaults(10, 256, { name: 'sgd', learningRate: 0.01, weightDecay: 5e-4 }),
    })
    .describe('random labels in the most salient weights alone (SalUn, Fan et al. 2024)'),
  z.strictObject({ method: z.literal('delete'), label, ...deleteOptions.shape }).describe(deleteAbout),
  z
    .strictObject({
      method: z.literal('ct'),
      label,
      ...epochDefaults(3, 64, { name: 'sgd', learningRate: 1e-3, weightDecay: 5e-4 }),
      schedule: scheduleSchema.default({ name: 'cosine' }).describe(SCHEDULE),
    })
    .describe(
      'transposes the kernels of convolutions, then fine-tunes on the retained set (Cadet et al. 2024)',
    ),
  z
    .strictObject({
      method: z.literal('msg'),
      label,
      share: z
        .number()
        .gt(0)
        .lt(1)
        .default(0.3)
        .describe('of the weights of each convolution, those with the smallest gradient, that start anew'),
      damping: z
        .number()
        .min(0)
        .max(1)
        .default(0.1)
        .describe("multiplies the gradients of the convolutions' other weights"),
      ...epochDefaults(5, 64, { name: 'sgd', learningRate: 1e-3, weightDecay: 5e-4 }),
      schedule: scheduleSchema.default({ name: 'cosine' }).describe(SCHEDULE),
    })
    .describe(
      'masked small gradients: new weights where retained and forget set agree, then fine-tuning (Cadet et al. 2024)',
    ),
  z
    .strictObject({
      method: z.literal('sfr-on'),
      label,
      iterations: count.default(1500).describe('steps of descent on the retained set'),
      every: count.default(5).describe('iterations between two steps of ascent on the forget set'),
      alpha: positive
        .default(25)
        .describe('strength of the ascent at the start; it falls to 0 along a cosine'),
      lambda: z
        .number()
        .min(0)
        .default(0.5)
        .describe('forgotten samples are weighted by their loss to the power −lambda'),
      threshold: z
        .number()
        .min(0)
        .default(1)
        .describe(
          'ascent changes parameters whose squared gradient on the forget set is at least this times that on the retained set',
        ),
      maxNorm: positive.default(7).describe('the gradient of an ascent is shortened to this norm'),
      batchSize: count.default(256).describe(BATCH),
      optimizer: optimizerSchema
        .prefault({ name: 'sgd', learningRate: 0.01, weightDecay: 5e-4 })
        .describe(OPTIMIZER),
      schedule: scheduleSchema.default({ name: 'cosine' }).describe(SCHEDULE),
    })
    .describe(
      'weighted ascent in salient parameters between steps of descent on the retained set (SFR-on, Huang et al. 2024)',
    ),
  z
    .strictObject({
      method: z.literal('amun'),
      label,
      base: z
        .enum(['retained', 'forget'])
        .default('retained')
        .describe('the set that is trained on together with the adversarial examples'),
      epsilon: positive
        .default(0.04)
        .describe("radius in which an adversarial example is searched first, in units of a pixel's range"),
      attackSteps: count.default(50).describe('steps of the search in each radius'),
      epochs: epochOptions.epochs.default(10),
      batchSize: epochOptions.batchSize,
      optimizer: optimizerSchema.prefault({ name: 'sgd', learningRate: 0.01 }).describe(OPTIMIZER),
      schedule: epochOptions.schedule,
    })
    .describe(
      'fine-tuning on adversarial examples of the forget set under their wrong class (AMUN, Ebrahimpour-Boroojeny et al. 2025)',
    ),
  z
    .strictObject({
      method: z.literal('cf-k'),
      label,
      k: count.default(1).describe('linear and convolutional layers, from the last one, that are trained'),
      ...epochOptions,
    })
    .describe('fine-tuning of the last k layers on the retained set (Goel et al. 2022)'),
  z
    .strictObject({
      method: z.literal('eu-k'),
      label,
      k: count
        .default(1)
        .describe('linear and convolutional layers, from the last one, that are trained anew'),
      ...epochOptions,
    })
    .describe('new weights for the last k layers, trained on the retained set (Goel et al. 2022)'),
  z
    .strictObject({
      method: z.literal('ssd'),
      label,
      alpha: z
        .union([positive, z.literal('adaptive')])
        .default(10)
        .describe(
          'parameters that are so many times more important to the forget set than to the other set are dampened; adaptive dampens a share of ln(1 + 100·|D_f|/|D|) percent of all parameters',
        ),
      importance: z
        .enum(['all', 'retained'])
        .default('all')
        .describe('the other set: all training samples, or the retained set'),
      lambda: positive.default(1).describe('strength of the dampening: smaller dampens more'),
      batchSize: count.default(128).describe('samples a gradient; 1 gives the diagonal Fisher information'),
    })
    .describe('selective synaptic dampening, without training (Foster et al. 2024)'),
  z
    .strictObject({
      method: z.literal('damp'),
      label,
      probeSamples: count
        .min(2)
        .default(500)
        .describe('samples of either set on whose features the probes are trained and tested, half each'),
    })
    .describe(
      'removes the directions of forgotten classes from the weights, more in deeper layers; forgets whole classes only (DAMP, Hatami et al. 2026)',
    ),
  z
    .strictObject({
      method: z.literal('fisher'),
      label,
      alpha: positive.default(1e-6).describe('scale of the noise variance'),
      power: positive.default(1).describe("of 1/F in the variance: 1 in the authors' code, 0.5 in the paper"),
      ceiling: positive.default(1e3).describe('largest 1/F to this power'),
      samples: count.optional().describe('retained samples drawn for F; all of them unless given'),
      batchSize: count
        .default(64)
        .describe('samples whose gradients are computed together; F differs by rounding only'),
    })
    .describe('noise where the retained set leaves the loss flat (Golatkar et al. 2020)'),
  z
    .strictObject({
      method: z.literal('influence'),
      label,
      alpha: positive.default(1).describe('length of the step; 1 is the Newton step'),
      samples: count
        .default(1000)
        .describe('retained samples whose gradients make the Hessian; so many gradients are kept in memory'),
      damping: positive.default(1).describe('added to the Hessian as a multiple of the identity'),
    })
    .describe('influence unlearning with WoodFisher (Jia et al. 2023)'),
  z
    .strictObject({ method: z.literal('lora-random-label'), label, ...loraOptions, ...epochOptions })
    .describe('random-label through adapters'),
  z
    .strictObject({
      method: z.literal('lora-neggrad-plus'),
      label,
      retainedWeight: z
        .number()
        .min(0)
        .max(1)
        .default(0.95)
        .describe("neggrad-plus's alpha; alpha is the adapters' here"),
      ...loraOptions,
      ...epochDefaults(5, 256, { name: 'sgd', learningRate: 0.01, weightDecay: 5e-4 }),
    })
    .describe('neggrad-plus through adapters'),
  z
    .strictObject({
      method: z.literal('rfa'),
      label,
      target: builtInTargetSchema,
      refitEpochs: positive
        .optional()
        .describe(
          'for how long layers are trained anew on the retained samples drawn. Of unseen-margin: the layers from the first adapted one on, which have a say in the target. Of leave-out-top: the layers from `top` on; as long as the training unless given',
        ),
      top: z
        .string()
        .min(1)
        .optional()
        .describe(
          'of leave-out-top: the first layer that is trained anew; the first adapted one unless given',
        ),
      renew: z
        .number()
        .min(0)
        .max(1)
        .optional()
        .describe(
          'of leave-out-top: the share of the filters of adapted layers before `top` that get new random weights; 0.25 unless given',
        ),
      ...loraOptions,
      align: patterns
        .optional()
        .describe('names of the layers whose outputs are aligned; the adapted ones unless given'),
      weights: z
        .record(z.string().min(1), z.number().min(0))
        .optional()
        .describe(
          'by name of aligned layers (* matches anything): what their part of the loss is multiplied by',
        ),
      distance: z
        .enum(['squared', 'kl'])
        .optional()
        .describe(
          "of the logits: squared as for other layers (unless given), or KL from the teacher's softmax to the student's",
        ),
      lambda: positive.default(1).describe('weight of the forget set in the loss'),
      start: z
        .enum(['zero', 'closed-form'])
        .default('zero')
        .describe(
          'the adapter before the first step: B = 0, or the best update of each layer for its own output',
        ),
      ridge: positive
        .default(1e-3)
        .describe("of the closed form, relative to the mean of its inputs' second moments"),
      steps: z.int().min(0).default(100).describe('0 is for the closed form alone'),
      stop: z
        .strictObject({
          rule: z
            .literal('unseen-accuracy')
            .describe(
              'as soon as the forget set is no more often right than validation samples of its classes; than never, of wholly forgotten ones',
            ),
          every: count.default(25).describe('steps between two looks'),
        })
        .optional()
        .describe('end before all steps are taken'),
      optimizer: optimizerSchema.prefault({ name: 'adam', learningRate: 1e-3 }).describe(OPTIMIZER),
      schedule: scheduleSchema.default({ name: 'constant' }).describe(SCHEDULE),
      norms: z
        .strictObject({ every: count.default(10).describe('steps between two measurements') })
        .optional()
        .describe('measures the norm of the residual at every aligned layer; it changes no weight'),
      forgetBatch: count.default(64).describe('samples of the forget set in a step'),
      retainedBatch: count.default(192).describe('samples of the retained set in a step'),
      retainedSamples: count.default(4000).describe('retained samples drawn once, whose features are kept'),
    })
    .describe('residual feature alignment with LoRA (arXiv 2411.08443)'),
] as const

/** The rows whose model no unlearning stage makes: it is trained, or comes from elsewhere. */
const notUnlearned = ['original', 'retrain', 'weights'] as const
export type NotUnlearned = (typeof notUnlearned)[number]

export function isNotUnlearned(method: MethodName): method is NotUnlearned {
  return notUnlearned.some((name) => name === method)
}

/** The schemas of the rows: the options of each method, and how they are tuned. */
type RowSchemas<Schemas> = { readonly [I in keyof Schemas]: RowSchema<Schemas[I]> }
type RowSchema<Schema> =
  Schema extends z.ZodObject<infer Shape, infer Config>
    ? Shape['method'] extends z.ZodLiteral<NotUnlearned>
      ? Schema
      : z.ZodObject<Shape & { tune: typeof rowTuneSchema }, Config>
    : never

// TypeScript gives the mapped list of schemas the type of a list without a fixed order.
const rowSchemas = methodSchemas.map((schema: (typeof methodSchemas)[number]) => {
  const { value } = schema.shape.method
  if (isNotUnlearned(value)) return schema
  const options: z.ZodObject = schema
  return options.extend({ tune: rowTuneSchema }).describe(schema.description ?? '')
}) as unknown as RowSchemas<typeof methodSchemas>

/** The rows of a config that name no plug-in. */
export const builtInRowSchemas = [...rowSchemas, externalMethodSchema] as const

/** The schemas of the rows in a spec, where the target of `rfa` may be that of a plug-in. */
type SpecRowSchemas<Schemas> = { readonly [I in keyof Schemas]: SpecRowSchema<Schemas[I]> }
type SpecRowSchema<Schema> =
  Schema extends z.ZodObject<infer Shape, infer Config>
    ? Shape extends { readonly method: z.ZodLiteral<'rfa'> }
      ? z.ZodObject<Omit<Shape, 'target'> & { target: typeof targetSchema }, Config>
      : Schema
    : never

const specRowSchemas = rowSchemas.map((schema: z.ZodObject) =>
  'target' in schema.shape ? schema.extend({ target: targetSchema }) : schema,
) as unknown as SpecRowSchemas<typeof rowSchemas>

/** The rows of a spec. A row of a config that names a plug-in has the method `plugin` here. */
export const methodSchema = z.discriminatedUnion('method', [...specRowSchemas, pluginRowSchema])

export type MethodSpec = z.output<typeof methodSchema>
export type MethodName = MethodSpec['method']
/** Methods that make a model from the original. All but `replay` and `sisa` are approximate. */
export type ApproximateMethodSpec = Exclude<MethodSpec, { method: NotUnlearned }>
export type ApproximateMethodName = ApproximateMethodSpec['method']
/** The methods of this repository that change the original. */
export type BuiltInMethodName = Exclude<ApproximateMethodName, 'plugin'>
export type MethodSpecOf<N extends MethodName> = Extract<MethodSpec, { method: N }>

/** A row of the table: a method of this repository, a plug-in, or an external program. */
export const rowSchema = z.discriminatedUnion('method', [
  ...specRowSchemas,
  externalMethodSchema,
  pluginRowSchema,
])
export type RowSpec = z.output<typeof rowSchema>

/** Whether a method of this repository or a plug-in makes the model of a row from the original. */
export function isApproximate(row: RowSpec): row is ApproximateMethodSpec {
  return row.method !== 'external' && !isNotUnlearned(row.method)
}

/** Whether the result of a method is several models, of which only the joint outputs are judged. */
export function isEnsemble({ method }: Pick<RowSpec, 'method'>): boolean {
  return method === 'sisa'
}

/**
 * Whether a method trains on samples under the label of another class. It then needs data of at
 * least two classes. Plug-ins declare it themselves.
 */
export const relabels: Readonly<Record<Exclude<MethodName, 'plugin'>, boolean>> = {
  original: false,
  retrain: false,
  replay: false,
  sisa: false,
  weights: false,
  finetune: false,
  'random-label': true,
  'gradient-ascent': false,
  'neggrad-plus': false,
  'l1-sparse': false,
  'bad-teacher': false,
  scrub: false,
  'boundary-shrink': true,
  'boundary-expand': false,
  unsir: false,
  salun: true,
  delete: false,
  amun: true,
  ct: false,
  msg: false,
  'sfr-on': false,
  'cf-k': false,
  'eu-k': false,
  ssd: false,
  damp: false,
  fisher: false,
  influence: false,
  'lora-random-label': true,
  'lora-neggrad-plus': false,
  rfa: false,
}
