import { z } from 'zod'
import { fraction } from './numbers.ts'

/** The data sets and their options: the section `data` of a config. */

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

/** Every data set. The reader of each is `datasets/<name>.ts`. */
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
        .default([1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`))
        .describe('files of training samples, in this order'),
      test: z.array(z.string().min(1)).min(1).default(['test_batch.bin']).describe('files of test samples'),
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

export const dataSchema = z.discriminatedUnion('name', dataSchemas)
export type DataSpec = z.output<typeof dataSchema>
