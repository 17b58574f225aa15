import { z } from 'zod'
import { millisecondsOf } from '../../common/period.ts'
import { noPlugins } from '../spec/plugin.ts'
import { sectionsWith } from '../spec/plugin-sections.ts'
import { rowSchema } from '../spec/methods.ts'
import { settingsSchema } from '../spec/settings.ts'
import { specSchema } from '../spec/spec.ts'
import type { AcceptedFigure } from './accepted-figures.ts'

/**
 * The config of a ledger: a model in use, and how deletion requests on it are fulfilled. Most
 * sections are those of an experiment.
 */

const limit = z
  .strictObject({
    atMost: z
      .union([
        z.number().min(0),
        z.strictObject({
          floor: z
            .number()
            .positive()
            .describe('a factor: the limit is the figure of the further gold models times this number'),
        }),
      ])
      .describe('the largest accepted value: a number, or a multiple of the floor'),
  })
  .optional()

const accept = z
  .strictObject({
    averageGap: limit.describe('mean absolute difference to gold of UA, RA, TA and MIA, in points'),
    gapWithoutMia: limit.describe('the same without MIA'),
    activationForget: limit.describe('activation distance to gold on the forget set'),
    activationRetained: limit.describe('activation distance to gold on the retained set'),
    jsDivergence: limit.describe('Jensen-Shannon divergence to gold on the forget set, in bits'),
    validationGap: limit.describe('the gap that needs validation samples and no gold, in points'),
  } satisfies Record<AcceptedFigure, typeof limit>)
  .default({})
  .describe('the figures by which the model of an approximate method is accepted; all of them have to hold')

const MOST_BATCH_MS = 365 * 86_400_000

const BATCH_TIME = 'a time above 0 and of at most 365d, such as 90m, 12h or 1d'

const batch = z
  .string()
  .regex(/^\d+(\.\d+)?[mhd]$/, BATCH_TIME)
  .refine(
    (text) => {
      const period = millisecondsOf(text) ?? 0
      return period > 0 && period <= MOST_BATCH_MS
    },
    { error: BATCH_TIME, abort: true },
  )
  .optional()
  .describe(
    'requests wait for this time from the first of them on, such as 90m, 12h or 1d, and are then fulfilled together; ' +
      'without it, each request is fulfilled alone',
  )

const { seed, data, model, training, original, gold, shadow, attack, ...others } = specSchema.shape
const { name: _name, seeds: _seeds, split: _split, methods: _methods, tune: _tune, ...requested } = others

const LADDER = 'the methods in the order in which they are tried, until a model is accepted'
const MOST_STEPS = 16

export const ledgerSchema = z.strictObject({
  // The names of runs are this name with two numbers.
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'lower-case letters, digits and hyphens only, 40 at most')
    .describe('the name of the ledger: lower-case letters, digits and hyphens, 40 at most'),
  seed,
  data,
  model,
  training: training.describe('how the original and the gold models are trained'),
  original,
  gold,
  ladder: z.array(rowSchema).min(1).max(MOST_STEPS).describe(LADDER),
  accept,
  batch,
  shadow,
  ...requested,
  attack,
})

/** A ledger as plain JSON with its defaults. */
export type LedgerSpec = z.output<typeof ledgerSchema>

const { methods, ...sections } = sectionsWith(noPlugins)

/** A config file: the ledger and the settings side by side. */
export const ledgerConfigSchema = z.strictObject({
  ...ledgerSchema.shape,
  ...sections,
  ladder: methods.max(MOST_STEPS).describe(LADDER),
  ...settingsSchema.shape,
})
