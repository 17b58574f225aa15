import { z } from 'zod'
import { givenSchema, place, type GivenModel } from './given.ts'
import { trainingSchema, type TrainingSpec } from './training.ts'

/** The section `gold` of a config: how the gold models are made, or that there are none. */

/** The models that are trained on the retained set alone. */
export interface GoldSpec {
  readonly models: number
  readonly from?: readonly string[] | undefined
  readonly given?: readonly GivenModel[] | undefined
  readonly training?: TrainingSpec | undefined
  readonly unseen?: true | undefined
}

const places = z
  .union([place, z.array(place).min(1).max(16)])
  .transform((one) => (typeof one === 'string' ? [one] : one))

const given = z
  .array(givenSchema)
  .min(1)
  .max(16)
  .optional()
  .describe('what the files contain; filled in when they are read')

const DEFAULT_MODELS = 2

const options = z
  .strictObject({
    models: z
      .int()
      .min(0)
      .max(16)
      .optional()
      .describe(
        '2 unless given; the second and later ones give the floor; 0 is the same as none; not with `from` alone, which names the models themselves',
      ),
    from: places
      .optional()
      .describe(
        'without `training`: one or several places of gold models that were trained elsewhere; with `training`: the place of the checkpoint that gold starts from',
      ),
    given,
    training: trainingSchema
      .optional()
      .describe(
        "gold's own training, from new weights unless `from` names a checkpoint; that of the original unless given",
      ),
    unseen: z
      .literal(true)
      .optional()
      .describe('declares that the checkpoint that gold starts from never saw the forget set'),
  })
  .transform(({ models, ...rest }): GoldSpec => ({
    ...rest,
    models:
      models ??
      (rest.training === undefined ? (rest.given ?? rest.from)?.length : undefined) ??
      DEFAULT_MODELS,
  }))

export const goldSchema = z.union([z.literal('none').transform((): GoldSpec => ({ models: 0 })), options])

/** Whether the gold models were trained elsewhere. */
export function isGoldGiven({ from, given, training }: GoldSpec): boolean {
  return (from !== undefined || given !== undefined) && training === undefined
}
