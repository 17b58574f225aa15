import { z } from 'zod'
import { rangeSchema } from './range.ts'

/**
 * The section `tune` of a config, and the option `tune` of a method. They have no default, so that
 * they change no key of an experiment that lacks them.
 */

const trials = z.int().min(2).max(64)
const TRIALS = 'variants of each method that are tried, its own options among them'
/**
 * The most tuning seeds. Fewer variants go on to each further seed, so that more would try the same
 * few again.
 */
const MOST_SEEDS = 4

export const tuneDefaults = { trials: 8, by: 'validation-gap', seeds: 2 } as const

const by = z
  .literal(tuneDefaults.by)
  .describe('the rule that chooses: the least validation gap, which reads neither gold nor test samples')

export const tuneSchema = z
  .strictObject({
    trials: trials.default(tuneDefaults.trials).describe(TRIALS),
    by: by.default(tuneDefaults.by),
    seeds: z
      .int()
      .min(1)
      .max(MOST_SEEDS)
      .default(tuneDefaults.seeds)
      .describe('seeds for tuning alone; one in three variants goes on from each seed to the next'),
  })
  .optional()
  .describe('chooses the options of every method by the same budget of variants; no tuning unless given')

/** How one method is tuned. With its id, the JSON Schema of configs has it once for all methods. */
export const rowTuningSchema = z
  .strictObject({
    trials: trials.optional().describe(`${TRIALS}; those of the section tune unless given`),
    by: by.optional(),
    space: z
      .record(z.string(), rangeSchema)
      .optional()
      .describe("by path of an option: the values to draw from; the method's own space unless given"),
  })
  .meta({ id: 'tuning' })

export const rowTuneSchema = z
  .union([z.literal(false), rowTuningSchema])
  .optional()
  .describe('how this method is tuned, or false for its options as written')

export type TuneSpec = NonNullable<z.output<typeof tuneSchema>>
