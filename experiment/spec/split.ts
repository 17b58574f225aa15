import { z } from 'zod'
import { count, fraction } from './numbers.ts'

/** The ways to choose the forget set: the section `split` of a config. */

/** The measures by which a `hard` split picks samples (unlearning/hardness.ts). */
export const hardnessNames = ['highest-loss', 'lowest-loss', 'most-memorised'] as const
export type Hardness = (typeof hardnessNames)[number]

const classes = z
  .array(z.union([z.int().min(0), z.string()]))
  .min(1)
  .describe('indices, counted from 0, or names of classes')
const someFraction = fraction
  .optional()
  .describe('share of the training samples, or of those of `classes`, to forget; instead of `count`')
const someCount = count.optional().describe('number of samples to forget; instead of `fraction`')

export const splitSchemas = [
  z
    .strictObject({
      kind: z.literal('class'),
      classes,
    })
    .describe('forget whole classes, by index or name'),
  z
    .strictObject({ kind: z.literal('random'), fraction: someFraction, count: someCount })
    .describe('forget samples drawn at random: give `fraction` or `count`'),
  z
    .strictObject({
      kind: z.literal('class-fraction'),
      classes,
      fraction: someFraction,
      count: someCount,
    })
    .describe(
      'forget samples drawn at random from some classes: give `fraction` or `count`, of them together',
    ),
  z
    .strictObject({
      kind: z.literal('indices'),
      indices: z
        .array(z.int().min(0))
        .min(1)
        .optional()
        .describe(
          'numbers of samples: counted from 0, training files before test files, each in the order of its file',
        ),
      file: z
        .string()
        .min(1)
        .optional()
        .describe('a text file of whole numbers, relative to the config; # begins a comment'),
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits')
        .optional()
        .describe('the digest that the file must have'),
    })
    .describe('forget the training samples of these indices: give `indices` or `file`'),
  z
    .strictObject({
      kind: z.literal('names'),
      file: z
        .string()
        .min(1)
        .describe('a text file with one name in a line, relative to the config; # begins a comment line'),
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits')
        .optional()
        .describe('the digest that the file must have'),
      indices: z
        .array(z.int().min(0))
        .min(1)
        .optional()
        .describe('the numbers of the named samples; filled in when the file is read'),
      kept: z
        .literal(true)
        .optional()
        .describe(
          'present if a named sample would otherwise be set apart for validation or tests; filled in when the file is read',
        ),
    })
    .describe(
      'forget the training samples of these names: files of an image folder, or row ids of parquet files',
    ),
  z
    .strictObject({
      kind: z.literal('hard'),
      by: z.enum(hardnessNames).describe('how the original model ranks the training samples'),
      fraction: someFraction,
      count: someCount,
    })
    .describe('forget the training samples that are extreme to the original: give `fraction` or `count`'),
] as const

export const splitSchema = z.discriminatedUnion('kind', splitSchemas)
export type SplitSpec = z.output<typeof splitSchema>
