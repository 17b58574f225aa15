import { z } from 'zod'

/**
 * The sections `attack` and `shadow` of a config. The other sections that say how models are judged
 * are in the definitions of the stage kinds that they request (experiment/stages/).
 */

export const attackSchema = z
  .strictObject({
    samples: z
      .int()
      .min(10)
      .default(2000)
      .describe('members (and non-members) that train an attack, at most'),
  })
  .prefault({})
  .describe('membership-inference attacks on the outputs of every model')

/** The section has no default, so that it changes no key of an experiment that lacks it. */
export const shadowSchema = z
  .strictObject({
    models: z
      .int()
      .min(8)
      .max(256)
      .multipleOf(2, 'an even number (the two models of a pair train on complementary halves of the samples)')
      .describe('how many: 8 are a first look, 64 and more tell each sample from the others'),
  })
  .optional()
  .describe(
    'models trained on random halves of all samples, by which LiRA and RMIA attack every model; none unless given',
  )
