import { z } from 'zod'
import { parsePath } from '../../common/path.ts'
import { rangeSchema } from '../spec/range.ts'

/**
 * The config of a sweep as plain JSON: one or several base experiments, and values for paths in
 * them. The paths are those of `-S`. `experiment/sweep/points.ts` computes the points.
 */

const path = z
  .string()
  .refine((text) => parsePath(text) !== undefined, 'a path in an experiment, such as methods[0].rank')
const values = z.array(z.json()).min(1)
const point = z.record(path, z.json())
/** Values that a point must have. `base` is the base's file, as written in the sweep. */
const condition = z.record(path, z.json())

export const sweepSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens only, 63 at most')
    .describe('the name of the sweep: lower-case letters, digits and hyphens, 63 at most'),
  base: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .describe("an experiment's config, relative to the sweep's; several are crossed with all else"),
  set: point.optional().describe('values for all points'),
  grid: z.record(path, values).optional().describe('lists of values; every combination is a point'),
  zip: z
    .array(z.record(path, values))
    .min(1)
    .optional()
    .describe(
      'groups of lists of one length, which advance together; groups are crossed like lists of the grid',
    ),
  random: z
    .strictObject({
      samples: z.int().min(1).max(5000).describe('number of draws'),
      seed: z
        .int()
        .min(0)
        .max(2 ** 32 - 1)
        .default(1)
        .describe('seed of the draws'),
      of: z.record(path, rangeSchema).describe('by path: a range of numbers, or a list of choices'),
    })
    .optional()
    .describe(
      'so many draws of values, crossed with the grid; a draw depends on seed, path and number alone',
    ),
  points: z.array(point).min(1).optional().describe('single points, beside those of grid, zip and random'),
  only: z
    .record(path, condition)
    .optional()
    .describe('conditions: a path is set only where others have these values, or one of a list of values'),
  exclude: z.array(condition).min(1).optional().describe('points like these are left out'),
  halving: z
    .strictObject({
      metric: z.literal('validationGap').default('validationGap'),
      of: z.string().min(1).optional().describe("the method's label; needed where there is more than one"),
      resource: path.describe('what the survivors get more of, such as methods[0].epochs or seeds'),
      rungs: z
        .array(z.number().positive())
        .min(1)
        .describe("its values before a point's own, ascending: all points are tried with the first"),
      factor: z.int().min(2).default(3).describe('one in so many goes on to the next rung'),
    })
    .optional()
    .describe('early stopping by asynchronous successive halving on validation samples'),
  maxParallel: z
    .int()
    .min(1)
    .max(500)
    .default(4)
    .describe('experiments under way at a time; their training stages are shared out among all workers'),
})

export type SweepSpace = z.output<typeof sweepSchema>
export type HalvingSpec = NonNullable<SweepSpace['halving']>

export function basesOf({ base }: SweepSpace): readonly string[] {
  return typeof base === 'string' ? [base] : base
}
