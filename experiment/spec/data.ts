import { z } from 'zod'
import type { Shape } from '../models/layers.ts'
import { fraction } from './numbers.ts'
import { pluginOptionsSchema, pluginRefSchema } from './plugin.ts'
import type { WhiteLevel } from './white.ts'

/**
 * The data sets: their options, which are the section `data` of a config, and their facts. The
 * reader of each is `datasets/readers/<name>.ts`.
 */

interface DatasetDefinition<Name extends string, Options extends z.core.$ZodLooseShape> {
  readonly name: Name
  readonly about: string
  /** The options of the section `data`, besides `name`. */
  readonly options: Options
  /** The files that the reader takes, as Markdown for the reference. */
  readonly files: string
  /** The greatest value that a pixel can have, which is white. Its type is in `white.ts`. */
  readonly white: WhiteLevel<Name>
  /** The facts of data that was published. They are absent if users bring data of their own. */
  readonly published?: PublishedFacts
}

interface PublishedFacts {
  readonly shape: Shape
  readonly classes: number
  /** The samples of the training files, and of the test files. */
  readonly samples: readonly [train: number, test: number]
  /** The licence that the publisher states. Absent if none is known. */
  readonly licence?: string
}

function define<const Name extends string, Options extends z.core.$ZodLooseShape>(
  definition: DatasetDefinition<Name, Options>,
) {
  const { name, about, options } = definition
  return { ...definition, schema: z.strictObject({ name: z.literal(name), ...options }).describe(about) }
}

const heldOut = {
  validation: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe('share of the training samples that no model trains on'),
}

/**
 * The place of the files cannot change a result. It is left out of keys and records
 * (`withoutPlaces`).
 */
const from = {
  from: z
    .string()
    .min(1)
    .optional()
    .describe('where the files are: a directory, https://…, s3://… or hf://datasets/owner/name@revision'),
}

/** Options that the user's own data sets share. */
const own = {
  ...from,
  citation: z.string().min(1).optional().describe('whom the report names as the source'),
}

const testShare = fraction
  .optional()
  .describe('share of the samples that is kept for testing, where the files set none apart')

const side = z.int().min(1).max(2048)

/** Options for decoding images. */
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

const IDX = 'the four official IDX files, gzipped or not'

/** Every data set, in the order of the reference. */
export const datasetDefinitions = [
  define({
    name: 'digits',
    about: "UCI's 8×8 handwritten digits, 1,797 samples, shipped with Zeroshift",
    options: {
      test: fraction.default(0.3).describe('share of the samples that is kept for testing'),
      ...heldOut,
    },
    files: 'shipped with Zeroshift',
    white: 16,
    published: { shape: [8, 8, 1], classes: 10, samples: [1_797, 0], licence: 'CC BY 4.0' },
  }),
  define({
    name: 'cifar10',
    about: 'CIFAR-10 in its official binary layout',
    options: {
      train: z
        .array(z.string().min(1))
        .min(1)
        .default([1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`))
        .describe('files of training samples, in this order'),
      test: z.array(z.string().min(1)).min(1).default(['test_batch.bin']).describe('files of test samples'),
      ...from,
      ...heldOut,
    },
    files: 'the official binary files',
    white: 255,
    published: { shape: [32, 32, 3], classes: 10, samples: [50_000, 10_000] },
  }),
  define({
    name: 'mnist',
    about: 'MNIST, handwritten digits: its four IDX files, gzipped or not',
    options: { ...from, ...heldOut },
    files: IDX,
    white: 255,
    published: { shape: [28, 28, 1], classes: 10, samples: [60_000, 10_000] },
  }),
  define({
    name: 'fashion-mnist',
    about: "Fashion-MNIST, Zalando's articles: its four IDX files, gzipped or not",
    options: { ...from, ...heldOut },
    files: IDX,
    white: 255,
    published: { shape: [28, 28, 1], classes: 10, samples: [60_000, 10_000], licence: 'MIT' },
  }),
  define({
    name: 'kmnist',
    about: 'Kuzushiji-MNIST, cursive Japanese: its four IDX files, gzipped or not',
    options: { ...from, ...heldOut },
    files: IDX,
    white: 255,
    published: { shape: [28, 28, 1], classes: 10, samples: [60_000, 10_000], licence: 'CC BY-SA 4.0' },
  }),
  define({
    name: 'cifar100',
    about: 'CIFAR-100 in its official binary layout',
    options: {
      labels: z.enum(['fine', 'coarse']).default('fine').describe('100 classes, or their 20 superclasses'),
      ...from,
      ...heldOut,
    },
    files: 'the official binary files; `labels: coarse` selects the 20 superclasses',
    white: 255,
    published: { shape: [32, 32, 3], classes: 100, samples: [50_000, 10_000] },
  }),
  define({
    name: 'svhn',
    about: 'Street View House Numbers, cropped digits: its official MATLAB files',
    options: {
      extra: z.boolean().default(false).describe('train on extra_32x32.mat too'),
      ...from,
      ...heldOut,
    },
    files: '`train_32x32.mat`, `test_32x32.mat`; with `extra: true` also `extra_32x32.mat`',
    white: 255,
    published: {
      shape: [32, 32, 3],
      classes: 10,
      samples: [73_257, 26_032],
      licence: 'non-commercial use',
    },
  }),
  define({
    name: 'image-folder',
    about: 'images as class/name.png, jpg or webp, below train/ and test/ or all in one tree',
    options: { test: testShare, ...decoded, ...own, ...heldOut },
    files:
      '`class/name.png`, `jpg` or `webp`, below `train/` and `test/`, or in one tree with a `test` share',
    white: 255,
  }),
  define({
    name: 'parquet',
    about: 'images in parquet files, as Hugging Face keeps them',
    options: {
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
      id: named
        .optional()
        .describe(
          'the column of the row ids that a split by names lists; the file names of the images unless given',
        ),
      ...decoded,
      ...own,
      ...heldOut,
    },
    files: 'parquet files as Hugging Face keeps image data sets; class names come from the files',
    white: 255,
  }),
  define({
    name: 'npz',
    about: "arrays of bytes in NumPy's .npz",
    options: {
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
    },
    files: 'NumPy arrays of bytes, named `x_train`, `y_train`, `x_test`, `y_test` unless others are given',
    white: 255,
  }),
] as const

type Schema = (typeof datasetDefinitions)[number]['schema']
const [first, ...others] = datasetDefinitions
/** The data sets that a config may name without a plug-in. */
export const builtInDataSchemas: readonly [Schema, ...Schema[]] = [
  first.schema,
  ...others.map(({ schema }) => schema),
]

/** The options of data that a plug-in reads, besides the plug-in's own. */
export const pluginDataOptions = { ...own, test: testShare, ...heldOut }

const pluginDataSchema = z.strictObject({
  name: z.literal('plugin'),
  plugin: pluginRefSchema,
  options: pluginOptionsSchema,
  ...pluginDataOptions,
})

/** The data of a spec. */
export const dataSchema = z.discriminatedUnion('name', [...builtInDataSchemas, pluginDataSchema])
export type DataSpec = z.output<typeof dataSchema>
