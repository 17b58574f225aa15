import { z } from 'zod'
import { checkpointSchema } from '../models/pretrained.ts'
import { methodSchema, optimizerSchema, scheduleSchema } from './methods.ts'

/**
 * An experiment as plain JSON: defaults filled in, nothing machine-specific. What a machine decides (the store, the
 * data's directory, the tracking server) is in `Settings`, and cannot change a result.
 */

const seed = z
  .int()
  .min(0)
  .max(2 ** 32 - 1)
const fraction = z.number().gt(0).lt(1)
const count = z.int().min(1)

const heldOut = {
  validation: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe('share of the training samples that no model trains on'),
}

/** Where files lie changes no result: it is a machine's to say, and is left out of keys and records (`withoutPlaces`). */
const from = {
  from: z
    .string()
    .min(1)
    .optional()
    .describe('where the files are: a directory, https://…, s3://… or hf://datasets/owner/name@revision'),
}

/** What the user's own data sets have in common. */
const own = {
  ...from,
  citation: z.string().min(1).optional().describe('whom the report names as the source'),
}

const testShare = fraction
  .optional()
  .describe('share of the samples that is kept for testing, where the files set none apart')

const side = z.int().min(1).max(2048)

/** How encoded images become pixels. */
const decoded = {
  size: z
    .tuple([side, side])
    .optional()
    .describe('height and width in pixels; unless given, every image has to have those of the first'),
  resize: z
    .enum(['squash', 'crop'])
    .default('squash')
    .describe('squash changes the proportions, crop cuts off what is too long on both sides'),
  channels: z
    .union([z.literal(1), z.literal(3)])
    .default(3)
    .describe('1 is grey, 3 is colour'),
  skipCorrupt: z
    .boolean()
    .default(false)
    .describe('leave out images that cannot be decoded; how many is recorded with the data'),
}

const named = z.string().min(1)

/** Data sets. Each entry's reader is `datasets/<name>.ts`. */
export const dataSchemas = [
  z
    .strictObject({
      name: z.literal('digits'),
      test: fraction.default(0.3).describe('share of the samples that is kept for testing'),
      ...heldOut,
    })
    .describe("UCI's 8×8 handwritten digits, 1,797 samples, shipped with Zeroshift"),
  z
    .strictObject({
      name: z.literal('cifar10'),
      train: z
        .array(z.string().min(1))
        .min(1)
        .default([1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`)),
      test: z.array(z.string().min(1)).min(1).default(['test_batch.bin']),
      ...from,
      ...heldOut,
    })
    .describe('CIFAR-10 in its official binary layout'),
  z
    .strictObject({ name: z.literal('mnist'), ...from, ...heldOut })
    .describe('MNIST, handwritten digits: its four IDX files, gzipped or not'),
  z
    .strictObject({ name: z.literal('fashion-mnist'), ...from, ...heldOut })
    .describe("Fashion-MNIST, Zalando's articles: its four IDX files, gzipped or not"),
  z
    .strictObject({ name: z.literal('kmnist'), ...from, ...heldOut })
    .describe('Kuzushiji-MNIST, cursive Japanese: its four IDX files, gzipped or not'),
  z
    .strictObject({
      name: z.literal('cifar100'),
      labels: z.enum(['fine', 'coarse']).default('fine').describe('100 classes, or their 20 superclasses'),
      ...from,
      ...heldOut,
    })
    .describe('CIFAR-100 in its official binary layout'),
  z
    .strictObject({
      name: z.literal('svhn'),
      extra: z.boolean().default(false).describe('train on extra_32x32.mat too'),
      ...from,
      ...heldOut,
    })
    .describe('Street View House Numbers, cropped digits: its official MATLAB files'),
  z
    .strictObject({ name: z.literal('image-folder'), test: testShare, ...decoded, ...own, ...heldOut })
    .describe('images as class/name.png, jpg or webp, below train/ and test/ or all in one tree'),
  z
    .strictObject({
      name: z.literal('parquet'),
      train: z
        .array(named)
        .min(1)
        .default(['**/train-*.parquet'])
        .describe('files, relative to the directory; * matches within a name, ** across folders'),
      test: z
        .union([z.array(named).min(1), fraction])
        .default(['**/test-*.parquet'])
        .describe('files likewise, or the share of the samples that is kept for testing'),
      image: named.optional().describe('the column of the images; image or img unless given'),
      label: named.optional().describe('the column of the labels; label, labels or fine_label unless given'),
      ...decoded,
      ...own,
      ...heldOut,
    })
    .describe('images in parquet files, as Hugging Face keeps them'),
  z
    .strictObject({
      name: z.literal('npz'),
      file: named.optional().describe("the archive's name in the directory; the only .npz unless given"),
      images: named.optional().describe('x_train unless given, else images'),
      labels: named.optional().describe('y_train unless given, else labels'),
      testImages: named.optional().describe('x_test unless given'),
      testLabels: named.optional().describe('y_test unless given'),
      layout: z
        .enum(['nhwc', 'nchw'])
        .default('nhwc')
        .describe('the order of the dimensions of colour images'),
      classes: z.array(named).min(1).optional().describe('names; the labels themselves unless given'),
      test: testShare,
      ...own,
      ...heldOut,
    })
    .describe("arrays of bytes in NumPy's .npz"),
] as const

/** What a `hard` split picks samples by (unlearning/hardness.ts). */
export const hardnessNames = ['highest-loss', 'lowest-loss', 'most-memorised'] as const
export type Hardness = (typeof hardnessNames)[number]

export const splitSchemas = [
  z
    .strictObject({
      kind: z.literal('class'),
      classes: z.array(z.union([z.int().min(0), z.string()])).min(1),
    })
    .describe('forget whole classes, by index or name'),
  z
    .strictObject({ kind: z.literal('random'), fraction: fraction.optional(), count: count.optional() })
    .describe('forget samples drawn at random: give `fraction` or `count`'),
  z
    .strictObject({
      kind: z.literal('class-fraction'),
      classes: z.array(z.union([z.int().min(0), z.string()])).min(1),
      fraction: fraction.optional(),
      count: count.optional(),
    })
    .describe(
      'forget samples drawn at random from some classes: give `fraction` or `count`, of them together',
    ),
  z
    .strictObject({
      kind: z.literal('indices'),
      indices: z.array(z.int().min(0)).min(1).optional().describe('training files first, counted from 0'),
      file: z
        .string()
        .min(1)
        .optional()
        .describe('a text file of whole numbers, relative to the config; # begins a comment'),
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits')
        .optional()
        .describe('of the file, which is refused where it is another'),
    })
    .describe('forget the training samples of these indices: give `indices` or `file`'),
  z
    .strictObject({
      kind: z.literal('hard'),
      by: z.enum(hardnessNames).describe('under the original model'),
      fraction: fraction.optional(),
      count: count.optional(),
    })
    .describe('forget the training samples that are extreme to the original: give `fraction` or `count`'),
] as const

const width = z.int().min(1).max(4096)

export const modelSchemas = [
  z
    .strictObject({ name: z.literal('mlp'), hidden: z.array(width).min(1).default([64, 64]) })
    .describe('fully connected layers with ReLU'),
  z
    .strictObject({
      name: z.literal('cnn'),
      channels: z.tuple([width, width]).default([16, 32]),
      hidden: width.default(64),
    })
    .describe('two conv blocks (3×3, ReLU, 2×2 max pooling) and two linear layers'),
  z
    .strictObject({
      name: z.literal('resnet-cifar'),
      depth: z.union([z.literal('resnet18'), z.int().min(8).max(56)]).default(20),
      width: width.optional().describe('channels of the first stage: 16, or 64 for resnet18, unless given'),
    })
    .describe('residual networks with a 3×3 stem: depth 6n + 2, or resnet18'),
  z
    .strictObject({
      name: z.literal('pretrained'),
      from: z
        .string()
        .min(1)
        .optional()
        .describe('the checkpoint: a directory, s3://bucket/prefix or hf://owner/name@revision'),
      head: z
        .enum(['auto', 'new'])
        .default('auto')
        .describe("auto keeps the checkpoint's head where it has as many classes as the data"),
      checkpoint: checkpointSchema
        .optional()
        .describe("what the checkpoint's files say; filled in when they are read"),
    })
    .describe('a ViT, DeiT or ResNet image classifier in the layout of Hugging Face checkpoints'),
] as const

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
  // An absent one leaves no trace in the spec.
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

export const scoreNames = ['correctness', 'confidence', 'entropy', 'modified-entropy', 'loss'] as const
export type ScoreName = (typeof scoreNames)[number]
export const classifierNames = ['svm', 'logistic'] as const
export type ClassifierName = (typeof classifierNames)[number]

export const specSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens only, 63 at most'),
  seed: z
    .strictObject({
      data: seed.default(1).describe('test and validation samples'),
      split: seed.default(1).describe('forget samples'),
      training: seed.default(1),
      unlearning: seed.default(1),
    })
    .prefault({}),
  // 1 is what an absent one means, and leaves no trace in the spec.
  seeds: z
    .int()
    .min(1)
    .max(20)
    .transform((n) => (n > 1 ? n : undefined))
    .optional()
    .describe(
      'how often it all runs, from a training and an unlearning seed greater by 1 each time; 1 unless given',
    ),
  data: z.discriminatedUnion('name', dataSchemas),
  split: z.discriminatedUnion('kind', splitSchemas),
  model: z.discriminatedUnion('name', modelSchemas),
  training: trainingSchema,
  gold: z
    .strictObject({
      models: z.int().min(1).max(16).default(2).describe('the second and later ones give the floor'),
    })
    .prefault({}),
  methods: z.array(methodSchema).min(1),
  // An absent one leaves no trace in the spec.
  shadow: z
    .strictObject({
      models: z
        .int()
        .min(8)
        .max(256)
        .multipleOf(
          2,
          'an even number (the two models of a pair train on complementary halves of the samples)',
        )
        .describe('how many: 8 are a first look, 64 and more tell each sample from the others'),
    })
    .optional()
    .describe(
      'models trained on random halves of all samples, by which LiRA and RMIA attack every model; none unless given',
    ),
  relearn: z
    .strictObject({
      maxSteps: count.max(10_000).default(200).describe('after which it is given up'),
      batchSize: count.default(64),
      optimizer: optimizerSchema
        .optional()
        .describe("the training's unless given; the learning rate stays as it is"),
      every: count.default(1).describe('steps between two looks at the accuracy on the forget set'),
    })
    .optional()
    .describe('how many steps every model takes to learn the forget set again; not asked unless given'),
  probe: z
    .strictObject({
      layers: z
        .array(z.string().min(1))
        .min(1)
        .default(['*'])
        .describe('names of the linear and conv layers; * matches anything'),
      samples: z
        .int()
        .min(4)
        .default(2000)
        .describe('forget samples at most: one half trains the probes, the other tests them'),
    })
    .optional()
    .describe(
      "what linear probes recognise in every model's features, and how alike these and gold's are; not asked unless given",
    ),
  attack: z
    .strictObject({
      samples: z
        .int()
        .min(10)
        .default(2000)
        .describe('members (and non-members) that train an attack, at most'),
    })
    .prefault({}),
})

export type Spec = z.output<typeof specSchema>
export type DataSpec = Spec['data']
export type SplitSpec = Spec['split']
export type ModelSpec = Spec['model']
export type TrainingSpec = Spec['training']
export type RelearnSpec = NonNullable<Spec['relearn']>
export type ProbeSpec = NonNullable<Spec['probe']>

/** What a machine decides: where things are. Never part of a stage's key. */
export const settingsSchema = z.strictObject({
  store: z
    .string()
    .min(1)
    .optional()
    .describe('where artifacts live: directory, file:// URL or s3://bucket/prefix'),
  tracking: z
    .strictObject({
      uri: z.url({ protocol: /^https?$/ }),
      experiment: z.string().min(1).optional().describe("the run's name unless given"),
      register: z.boolean().optional().describe('also put unlearned models into the model registry'),
    })
    .optional()
    .describe('an MLflow server'),
  dataDirectory: z.string().min(1).optional().describe("the directory that holds the data set's files"),
  modelDirectory: z
    .string()
    .min(1)
    .optional()
    .describe("where the pre-trained model's files are, if not where `model.from` says"),
  checkpointSeconds: z
    .number()
    .positive()
    .optional()
    .describe('seconds between the checkpoints of a stage, at least; 30 unless given'),
  heartbeatSeconds: z
    .number()
    .min(1)
    .optional()
    .describe(
      'seconds without a sign of life after which a stage is given to another worker; 30 unless given',
    ),
})

export type Settings = z.output<typeof settingsSchema>

/** Whether a place is named by a URL: the same one on every machine, other than a directory. */
export const isElsewhere = (place: string) => /^[a-z][a-z0-9+.-]*:\/\//i.test(place)

/** A spec as it is recorded, without what only a machine can say: the directories of files. */
export function withoutPlaces(spec: Spec): Spec {
  return { ...spec, data: withoutDirectory(spec.data), model: withoutDirectory(spec.model) }
}

function withoutDirectory<T extends DataSpec | ModelSpec>(of: T): T {
  if (!('from' in of) || of.from === undefined || isElsewhere(of.from)) return of
  const { from: _, ...rest } = of
  return rest as T
}

/** A config file: the spec and the settings side by side. */
export const configSchema = z.strictObject({ ...specSchema.shape, ...settingsSchema.shape })
